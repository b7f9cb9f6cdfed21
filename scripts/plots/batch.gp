# Batch: a fixed number of requests, from the load generator's start to its end.
title_y = 'seconds'
title_x = 'connections'
y_format = '%g'
parts = 'time'
parts_note = 'mean and standard deviation of 5 runs by hyperfine'
fill = 0
load 'lines.gp'
