# Scaling: what more CPUs, with as many workers, bring to work that is computing.
title_y = 'requests/s'
title_x = 'CPUs, and workers'
y_format = '%.0s%c'
parts = 'rate'
parts_note = 'dashed: linear from one CPU'
fill = 0
load 'lines.gp'
