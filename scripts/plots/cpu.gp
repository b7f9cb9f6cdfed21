# CPU time a request, system and user stacked.
title_y = 'CPU time per request'
title_x = 'connections'
y_format = '%gus'
parts = 'total system'
parts_note = 'solid: user + system; dashed: system alone'
fill = 1
load 'lines.gp'
