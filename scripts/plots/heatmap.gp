# Answers by time and latency, a panel for each server: the darker the more. Columns of heatmap.tsv: server from_s to_s
# from_us to_us answers shade. Beside style.gp's: shades (how many), most (answers in the darkest).
tsv = name.'.tsv'
of(s, k) = strcol(1) eq s && $7 == k

set xrange [x_min:x_max]
set yrange [y_min:y_max]
set logscale y
set xtics 0.1 font ',10'
set multiplot layout panel_rows,panel_columns \
	margins left, right, bottom, top spacing gap, row_gap
do for [p = 1:panels] {
	unset label
	s = word(servers, p)
	set format x '%g s'
	set format y (at_left(p) ? '%.0s%cs' : '')
	set label 1 s at graph 0, graph 1 offset 0, 0.8 left tc rgb colour(s) font ',14'
	if (p == 1) {
		set label 2 'service time' at screen 8.0 / width, screen 1 - 18.0 / height left tc rgb ink
		set label 3 'darkest: '.most.' answers in 20 ms' at screen 1 - 8.0 / width, screen 1 - 18.0 / height \
			right tc rgb soft
		set label 4 'time since measuring began' at screen 0.5, screen 12.0 / height center tc rgb ink
	}
	set label 5 empty_note at graph 0.5, graph 0.5 center tc rgb soft
	plot for [k = 1:shades] tsv skip 1 using (of(s, k) ? ($2 + $3) / 2 : NaN):(sqrt($4 * $5) / 1e6):2:3:($4 / 1e6):($5 / 1e6) \
		with boxxyerror fs transparent solid 1.0 * k / shades noborder lc rgb colour(s), \
	NaN
}
unset multiplot
