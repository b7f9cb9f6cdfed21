# Throughput: every connection always has a request under way.
title_y = 'requests/s'
title_x = 'connections'
y_format = '%.0s%c'
parts = 'rate'
parts_note = 'median and 95% interval; hollow: client-limited'
fill = 0
load 'lines.gp'
