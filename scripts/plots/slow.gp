# Slow: what the quick clients wait when others are slow.
title_y = 'p99 of the quick clients'
title_x = 'slow clients beside them'
y_format = '%.0s%cs'
parts = 'p99 median'
parts_note = 'upper: p99, lower: median; response time'
fill = 0
load 'lines.gp'
