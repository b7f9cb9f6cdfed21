# Memory that one held connection costs.
title_y = 'bytes per connection'
title_x = 'connections held'
y_format = '%g'
parts = 'user kernel'
parts_note = 'solid: user space; dashed: kernel'
fill = 0
load 'lines.gp'
