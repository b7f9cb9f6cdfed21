# Lines over several loads, by lines.gp: one panel, or one for each server.
set xrange [x_min:x_max]
set yrange [y_min:y_max]
if (x_log) { set logscale x }
if (y_log) { set logscale y }
set bars 0.5
set multiplot layout panel_rows,panel_columns \
	margins left, right, bottom, top spacing gap, row_gap
do for [p = 1:panels] {
	unset label
	unset arrow
	set format x ''
	@set_xtics
	if (at_left(p)) { set format y y_format } else { set format y '' }
	if (at_left(p)) { @y_tics } else { @y_tics_bare }
	if (panels > 1) { set label 1 named(shown(p)) at graph 0, graph 1 offset 0, 1.4 left tc rgb colour(shown(p)) font ',14' }
	if (p == 1) {
		set label 2 title_y at screen 8.0 / width, screen 1 - 18.0 / height left tc rgb ink
		set label 3 parts_note at screen 1 - 8.0 / width, screen 1 - 18.0 / height right tc rgb soft
		set label 4 title_x.piped at screen 0.5, screen 12.0 / height center tc rgb ink
	}
	set label 5 empty_note at graph 0.5, graph 0.5 center tc rgb soft
	if (fd_setsize > x_min && fd_setsize < x_max) {
		set arrow 1 from fd_setsize, graph 0 to fd_setsize, graph 1 nohead dt 5 lc rgb soft lw 1 back
		if (p == 1 && fd_setsize > 30 * x_min) {
			set label 6 'FD_SETSIZE' at fd_setsize, graph 0 right offset -0.5, 0.6 tc rgb soft font ',10'
		}
		if (p == 1 && fd_setsize <= 30 * x_min) {
			set label 6 'FD_SETSIZE' at fd_setsize, graph 0 left offset 0.5, 0.6 tc rgb soft font ',10'
		}
	}
	plot for [d in ceilings] ceiling(d, x) with lines lc rgb soft lw 1.2 dt 5, \
	for [s in greyed(p)] tsv skip 1 using (x_of(s, word(parts, 1))):(y_of(4)) with lines lc rgb behind(s) lw 1, \
	for [part in (fill ? parts : '')] for [s in greyed(p) eq '' ? '' : shown(p)] tsv skip 1 \
		using (x_of(s, part)):(y_of(4)) with filledcurves x1 lc rgb colour(s) fs transparent solid 0.18, \
	for [part in parts] for [s in shown(p)] tsv skip 1 using (x_of(s, part)):(y_of(4)) \
		with lines lc rgb colour(s) lw (panels > 1 ? 2.4 : 2) dt part_dash(s, part), \
	for [part in parts] for [s in shown(p)] tsv skip 1 using (x_of(s, part)):(y_of(4)):(y_of(5)):(y_of(6)) \
		with yerrorbars lc rgb colour(s) lw 1.2 pt -1, \
	for [part in parts] for [s in shown(p)] tsv skip 1 using (x_of(s, part)):(y_of(4)):(mark(s)) \
		with points lc rgb colour(s) lw 1.4 ps 0.8 pt variable, \
	for [part in parts] for [s in shown(p)] tsv skip 1 \
		using (or_corner(has(s, part), x_of(s, part), x_min)):(or_corner(has(s, part), y_of(4), y_min)): \
		(has(s, part) ? hover(s) : '') \
		with labels hypertext point pt 7 ps 1.2 lc rgb unseen(s), \
	for [s in shown(p)] tsv skip 1 using (x_of(s, 'linear')):(y_of(4)) with lines lc rgb soft lw 1.2 dt 5, \
	for [s in shown(p)] tsv skip 1 using (x_of(s, 'model')):(y_of(4)) with lines lc rgb ink lw 0.8, \
	for [s in shown(p)] $ends using 2:4:(text_of(s, 5)) \
		with labels left offset 1, 0 tc rgb colour(s) font ',12', \
	for [s in shown(p)] $stops using (strcol(1) eq s ? $2 : NaN):3 with points pt 2 ps 1.5 lw 2 lc rgb colour(s), \
	for [s in shown(p)] $stops using 2:3:(panels > 1 ? '' : text_of(s, 4)) \
		with labels left offset 1, 0.9 tc rgb soft font ',10', \
	for [s in shown(p)] $stops using (x_max):(y_max):(panels > 1 ? text_of(s, 4) : '') \
		with labels right offset 0, 0.6 tc rgb soft font ',10', \
	NaN
}
unset multiplot
