# Mixed: what the light requests wait for the heavy ones.
title_y = 'p99 of the light requests'
title_x = 'connections'
y_format = '%.0s%cs'
parts = 'p99 median'
parts_note = 'upper: p99, lower: median; response time'
fill = 0
load 'lines.gp'
