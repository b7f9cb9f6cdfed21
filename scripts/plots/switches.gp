# Context switches a request: gave up the CPU to wait, or had it taken away.
title_y = 'context switches per request'
title_x = 'connections'
y_format = '%g'
parts = 'voluntary involuntary'
parts_note = 'solid: voluntary; dashed: involuntary'
fill = 0
load 'lines.gp'
