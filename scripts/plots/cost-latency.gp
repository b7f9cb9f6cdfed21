# Cost: response time at rates that are the same for all servers.
title_y = 'response time'
title_x = 'requests/s offered'
y_format = '%.0s%cs'
parts = 'p99 median'
parts_note = 'solid p99, dashed median; 95% interval; hollow: client-limited'
fill = 0
load 'lines.gp'
