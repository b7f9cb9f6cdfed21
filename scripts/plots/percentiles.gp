# Service time by percentile at one load: all blocks' histograms merged. A curve ends where fewer than 10 samples lie
# beyond. Columns: server connections quantile inverse latency_us beyond.
tsv = name.'.tsv'
x_of(s) = strcol(1) eq s ? column(4) : NaN
told(s) = column(4) == 2 || column(4) == 10 || column(4) == 100 || column(4) == 1000 ? x_of(s) : NaN
seconds(v) = column(v) / 1e6
hover(s) = sprintf('%s p%g: %s us (%s samples beyond)', s, column(3) * 100, strcol(5), strcol(6))

set xrange [x_min:x_max]
set yrange [y_min:y_max]
set logscale xy
set xtics ('50%%' 2, '90%%' 10, '99%%' 100, '99.9%%' 1000, '99.99%%' 10000)
set xtics font ',10'
set format y '%.0s%cs'
set multiplot layout panel_rows,panel_columns \
	margins left, right, bottom, top spacing gap, row_gap
do for [p = 1:panels] {
	unset label
	if (at_left(p)) { set format y '%.0s%cs' } else { set format y '' }
	if (panels > 1) { set label 1 named(shown(p)) at graph 0, graph 1 offset 0, 1.4 left tc rgb colour(shown(p)) font ',14' }
	if (p == 1) {
		set label 2 'service time' at screen 8.0 / width, screen 1 - 18.0 / height left tc rgb ink
		set label 3 load_note at screen 1 - 8.0 / width, screen 1 - 18.0 / height right tc rgb soft
		set label 4 'percentile' at screen 0.5, screen 12.0 / height center tc rgb ink
	}
	set label 5 empty_note at graph 0.5, graph 0.5 center tc rgb soft
	plot for [s in greyed(p)] tsv skip 1 using (x_of(s)):(seconds(5)) with lines lc rgb behind(s) lw 1, \
	for [s in shown(p)] tsv skip 1 using (x_of(s)):(seconds(5)) \
		with lines lc rgb colour(s) lw (panels > 1 ? 2.4 : 2) dt dash(s), \
	for [s in shown(p)] tsv skip 1 using (told(s)):(seconds(5)):(hover(s)) \
		with labels hypertext point pt 7 ps 0.9 lc rgb unseen(s), \
	for [s in shown(p)] $ends using 2:($4 / 1e6):(text_of(s, 5)) \
		with labels left offset 1, 0 tc rgb colour(s) font ',12', \
	for [s in shown(p)] $stops using (x_max):(y_max):(panels > 1 ? text_of(s, 4) : '') \
		with labels right offset 0, 0.6 tc rgb soft font ',10', \
	NaN
}
unset multiplot
