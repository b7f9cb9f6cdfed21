# Lines of source against CPU time per request, a point for each server. Columns of code.tsv: server lines median low
# high runs. Given: $names, for each server where its name is, and a line from its point to there.
tsv = name.'.tsv'
of(s, n) = strcol(1) eq s ? column(n) : NaN
hover(s) = sprintf('%s: %s lines, %s us [%s, %s], %s runs', s, strcol(2), strcol(3), strcol(4), strcol(5), strcol(6))

set lmargin at screen 70.0 / width
set rmargin at screen 1 - 40.0 / width
set bmargin at screen 64.0 / height
set tmargin at screen 1 - 46.0 / height
set xrange [0:x_max]
set yrange [y_min:y_max]
set logscale y
set ytics (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
set bars 0.5
set format y '%gus'
set label 2 'CPU time per request, user and system' at screen 8.0 / width, screen 1 - 18.0 / height left tc rgb ink
set label 3 'median and 95% interval' at screen 1 - 8.0 / width, screen 1 - 18.0 / height right tc rgb soft
set label 4 'lines of source' at screen 0.5, screen 12.0 / height center tc rgb ink
set label 5 empty_note at graph 0.5, graph 0.5 center tc rgb soft
plot for [s in servers] $names using (strcol(1) eq s ? $4 : NaN):5:($6 - $4):($7 - $5) with vectors nohead lc rgb soft lw 1, \
	for [s in servers] tsv skip 1 using (of(s, 2)):3:4:5 with yerrorbars lc rgb colour(s) lw 1.2 pt -1, \
	for [s in servers] tsv skip 1 using (of(s, 2)):3:(point(s)) with points pt variable ps 1 lw 1.4 lc rgb colour(s), \
	for [s in servers] tsv skip 1 using (strcol(1) eq s ? $2 : 0):(strcol(1) eq s ? $3 : y_min):(strcol(1) eq s ? hover(s) : '') \
		with labels hypertext point pt 7 ps 1.2 lc rgb unseen(s), \
	for [s in servers] $names using 2:3:(text_of(s, 1)) with labels left tc rgb colour(s), \
	NaN
