# A run in time, a row for each server: rate, service time and open connections; what is not measured is shaded. Columns of
# time.tsv: server phase time_s rate_per_s open_connections p50_us p99_us. Beside style.gp's: us_min, us_max, open_max.
tsv = name.'.tsv'
columns = 3
rows = words(servers) > 0 ? words(servers) : 1
left = 150.0 / width
right = 1 - 16.0 / width
bottom = 50.0 / height
top = 1 - 52.0 / height
of(s, n) = strcol(1) eq s ? column(n) : NaN
hover(s) = strcol(1) eq s ? sprintf('%s at %s s: %s requests/s, %s open, median %s us, p99 %s us', s, strcol(3), strcol(4), \
	strcol(5), told(6), told(7)) : ''
# gnuplot 5.4 crashes on labels of which none has a place: the first row, if not wanted, stands unseen in a corner
or_corner(wanted, n, corner) = wanted ? column(n) : column(0) == 0 ? corner : NaN
told(n) = strcol(n) eq '' ? 'unknown' : strcol(n)

set xrange [x_min:x_max]
set xtics 0.2 font ',10'
set ytics font ',10'
set multiplot layout rows,columns margins left, right, bottom, top spacing 74.0 / width, 22.0 / height
do for [r = 1:rows] {
	s = rows == 1 && words(servers) == 0 ? '' : word(servers, r)
	last = r == rows
	do for [c = 1:columns] {
		unset label
		unset logscale y
		set format x (last ? '%g s' : '')
		set object 1 rectangle from x_min, graph 0 to 0, graph 1 fc rgb grid fs transparent solid 0.45 noborder behind
		if (c == 1) {
			set label 1 s at screen 8.0 / width, graph 0.5 left tc rgb colour(s) font ',14'
			set yrange [0:y_max]
			set ytics autofreq y_max > 2e5 ? 1e5 : y_max > 8e4 ? 5e4 : y_max > 3e4 ? 2e4 : y_max > 8e3 ? 5e3 : 1e3
			set format y '%.0s%c'
		}
		if (c == 2) {
			set logscale y
			set yrange [us_min:us_max]
			set ytics 10
			set format y '%.0s%cs'
		}
		if (c == 3) {
			set yrange [0:open_max]
			set ytics autofreq open_max > 500 ? 500 : 100
			set format y '%.0s%c'
		}
		if (r == 1) {
			title_c = c == 1 ? 'requests/s' : c == 2 ? 'service time: median (line), p99 (dots)' : 'open connections'
			set label 2 title_c at graph 0, graph 1 left offset 0, 1.3 tc rgb ink
			if (c == 1) { set label 3 'not measured' at graph 0, graph 1 left offset 12, 1.3 tc rgb soft font ',10' }
		}
		set label 5 empty_note at graph 0.5, graph 0.5 center tc rgb soft
		plot tsv skip 1 using (of(s, 3)):(c == 1 ? $4 : c == 2 ? $6 / 1e6 : $5) with lines lc rgb colour(s) lw 1.6, \
		tsv skip 1 using (c == 2 ? of(s, 3) : NaN):($7 / 1e6) with points pt 7 ps 0.25 lc rgb colour(s), \
		tsv skip 1 using (or_corner(c == 1 && strcol(1) eq s, 3, x_min)): \
			(or_corner(c == 1 && strcol(1) eq s, 4, c == 2 ? us_min : 0)):(c == 1 ? hover(s) : '') \
			with labels hypertext point pt 7 ps 0.7 lc rgb unseen(s), \
		NaN
	}
}
unset multiplot
