# Churn: connections that end after so many requests.
title_y = 'requests/s'
title_x = 'requests before a connection is closed'
y_format = '%.0s%c'
parts = 'rate'
parts_note = 'median and 95% interval; hollow: client-limited'
fill = 0
load 'lines.gp'
