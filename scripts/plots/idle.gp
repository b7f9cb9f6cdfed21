# Idle: what silent connections cost the busy ones.
title_y = 'requests/s of the busy connections'
title_x = 'idle connections beside them'
y_format = '%.0s%c'
parts = 'rate'
parts_note = 'median and 95% interval; hollow: client-limited'
fill = 0
load 'lines.gp'
