# Cost: CPU time a request at rates that are the same for all servers, system and user stacked.
title_y = 'CPU time per request'
title_x = 'requests/s offered'
y_format = '%gus'
parts = 'total system'
parts_note = 'solid: user + system; dashed: system alone'
fill = 1
load 'lines.gp'
