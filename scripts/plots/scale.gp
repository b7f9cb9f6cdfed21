# N connections, and the memory they take, over one run of scripts/scale.sh. Given: connections, barrier_s. Columns of
# scale.tsv: time_s connected answered used available_drop slab server_rss loadgen_rss (bytes).
name = 'scale'
width = 860
height = 560
servers = ''
panels = 1
panel_columns = 1
load 'style.gp'
tsv = name.'.tsv'
blue = '#0072b2'
orange = '#d55e00'
green = '#009e73'

stats tsv skip 1 using 1 name 'TIME' nooutput
stats tsv skip 1 using 3 name 'ANSWERS' nooutput
stats tsv skip 1 using 4 name 'USED' nooutput
gib = 1073741824.0
right = 1 - 150.0 / width
bottom = 52.0 / height
top = 1 - 66.0 / height
middle = 0.5 * (bottom + top)

set multiplot
set xrange [0:TIME_max]
set label 1 sprintf('%s connections on one machine', gprintf('%.0s%c', connections)) \
	at screen 8.0 / width, screen 1 - 18.0 / height left tc rgb ink font ',15'
set label 2 'the epoll server and the load generator, over loopback' \
	at screen 1 - 8.0 / width, screen 1 - 18.0 / height right tc rgb soft
set arrow 1 from barrier_s, graph 0 to barrier_s, graph 1 nohead dt 5 lc rgb soft lw 1 front
set lmargin at screen left
set rmargin at screen right

# above: what the server counts
set tmargin at screen top
set bmargin at screen middle + 22.0 / height
set format x ''
set yrange [0:2.35 * connections]
set ytics connections
set format y '%.0s%c'
set label 3 'all open and answered once' at barrier_s, graph 0.95 left offset 0.6, 0 tc rgb soft font ',11'
set label 4 'answers' at TIME_max, ANSWERS_max left offset 1, 0 tc rgb orange
set label 5 'open connections' at TIME_max, connections left offset 1, 0 tc rgb blue
plot tsv skip 1 using 1:2 with filledcurves x1 lc rgb blue fs transparent solid 0.18, \
	tsv skip 1 using 1:2 with lines lc rgb blue lw 2, \
	tsv skip 1 using 1:3 with lines lc rgb orange lw 2
unset label 1
unset label 2
unset label 3

# below: memory, the kernel's share at the bottom, both programs' on top of it
kernel(dummy) = (column(4) - column(7) - column(8)) / gib
set tmargin at screen middle - 14.0 / height
set bmargin at screen bottom
set format x '%g s'
set yrange [0:*]
set ytics autofreq
set format y '%g GiB'
peak = USED_max / gib
set label 4 sprintf('%.2f GiB in all', peak) at TIME_max, peak left offset 1, 0 tc rgb green
set label 5 'of it in the kernel' at TIME_max, 0.9 * peak left offset 1, -0.3 tc rgb blue
plot tsv skip 1 using 1:(kernel(0)):($4 / gib) with filledcurves lc rgb green fs transparent solid 0.4, \
	tsv skip 1 using 1:(kernel(0)) with filledcurves x1 lc rgb blue fs transparent solid 0.18, \
	tsv skip 1 using 1:(kernel(0)) with lines lc rgb blue lw 2, \
	tsv skip 1 using 1:($4 / gib) with lines lc rgb green lw 2
unset multiplot
