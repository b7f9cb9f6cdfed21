# The hockey stick: response time over offered rate, a panel a server; below each the share of the rate that was
# achieved. Beside style.gp's it wants: slo (us), x_tics, x_tics_bare, y_tics, y_tics_bare, $stops (in the head).
# Columns: server part offered_per_s median low high runs verdict achieved percent.
tsv = name.'.tsv'
strip = 34.0 / height     # the strip's height, and its distance from what is above
strip_gap = 20.0 / height
is(s, part) = strcol(1) eq s && strcol(2) eq part && valid(4)
x_of(s, part) = is(s, part) ? column(3) : NaN
bar(s, low, high) = is(s, 'p99') && column(9) >= low && column(9) < high ? column(9) : NaN
part_dash(part) = part eq 'p99' ? 1 : part eq 'p50' ? 5 : 6
part_width(part) = part eq 'p99' ? 2.4 : 1.4
mark(s) = point(s) - (strcol(8) eq 'client-limited')
hover(s) = sprintf('%s %s at %s/s (%s%%): %s us [%s, %s], %s runs, achieved %s%s', s, strcol(2), strcol(3), strcol(10), \
	strcol(4), strcol(5), strcol(6), strcol(7), strcol(9), strcol(8) eq 'valid' ? '' : ', '.strcol(8))

panel_width = (right - left - (panel_columns - 1) * gap) / panel_columns
panel_height = (top - bottom - (panel_rows - 1) * row_gap) / panel_rows
set xrange [x_min:x_max]
set bars 0.5
set multiplot
do for [p = 1:panels] {
	from_left = left + ((p - 1) % panel_columns) * (panel_width + gap)
	from_top = top - ((p - 1) / panel_columns) * (panel_height + row_gap)
	floor_y = from_top - panel_height
	unset label
	unset arrow
	set lmargin at screen from_left
	set rmargin at screen from_left + panel_width
	set tmargin at screen from_top
	set bmargin at screen floor_y + strip + strip_gap
	set logscale y
	set yrange [y_min:y_max]
	@x_tics_bare
	if (at_left(p)) { @y_tics } else { @y_tics_bare }
	set label 1 shown(p) at graph 0, graph 1 offset 0, 1.4 left tc rgb colour(shown(p)) font ',14'
	if (p == 1) {
		set label 2 'response time' at screen 8.0 / width, screen 1 - 18.0 / height left tc rgb ink
		set label 3 'solid p99, dashed median, dotted p99.9; median of runs, 95% interval; hollow: client-limited' \
			at screen 1 - 8.0 / width, screen 1 - 18.0 / height right tc rgb soft
		set label 4 'requests/s offered' at screen 0.5, screen 12.0 / height center tc rgb ink
	}
	set label 6 'SLO' at graph 1, first slo left offset 0.6, 0 tc rgb soft font ',10'
	set label 5 empty_note at graph 0.5, graph 0.5 center tc rgb soft
	set arrow 1 from graph 0, first slo to graph 1, first slo nohead dt 5 lc rgb soft lw 1.2 back
	plot for [s in servers] tsv skip 1 using (x_of(s, 'p99')):4 with lines lc rgb behind(s) lw 1, \
	for [part in 'p99.9 p50 p99'] tsv skip 1 using (x_of(shown(p), part)):4 \
		with lines lc rgb colour(shown(p)) lw part_width(part) dt part_dash(part), \
	tsv skip 1 using (x_of(shown(p), 'p99')):4:5:6 with yerrorbars lc rgb colour(shown(p)) lw 1.2 pt -1, \
	tsv skip 1 using (x_of(shown(p), 'p99')):4:(mark(shown(p))) \
		with points lc rgb colour(shown(p)) lw 1.4 ps 0.7 pt variable, \
	for [part in 'p50 p99'] tsv skip 1 using (is(shown(p), part) ? column(3) : x_min):(is(shown(p), part) ? column(4) : \
		y_min):(is(shown(p), part) ? hover(shown(p)) : '') \
		with labels hypertext point pt 7 ps 1.2 lc rgb unseen(shown(p)), \
	for [part in 'model-p50 model-p99'] tsv skip 1 using (x_of(shown(p), part)):4 with lines lc rgb ink lw 0.8, \
	$stops using (x_max):(y_max):(text_of(shown(p), 4)) with labels right offset 0, 0.6 tc rgb soft font ',10', \
	NaN

	unset label
	unset arrow
	unset logscale y
	set yrange [0:1.05]
	set tmargin at screen floor_y + strip
	set bmargin at screen floor_y
	@x_tics
	if (at_left(p)) { set ytics ('0' 0, '100%%' 1) } else { set ytics ('' 0, '' 1) }
	set ytics font ',10'
	if (p == 1) { set label 1 'achieved' at graph 0, graph 1 left offset 0, 0.6 tc rgb soft font ',10' }
	plot tsv skip 1 using (x_of(shown(p), 'p99')):(bar(shown(p), 0.99, 10)) with impulses lc rgb colour(shown(p)) lw 4, \
	tsv skip 1 using (x_of(shown(p), 'p99')):(bar(shown(p), 0, 0.99)) with impulses lc rgb soft lw 4, \
	NaN
	set ytics font ',13'
}
unset multiplot
