# Waiting: each answer takes a fixed delay d, so N connections allow N/d requests/s and no more.
title_y = 'requests/s'
title_x = 'connections'
y_format = '%.0s%c'
parts = 'rate'
parts_note = 'dashed: the ceiling N/d'
fill = 0
load 'lines.gp'
