# System calls a request: a bar a server, stacked by what calls are there for, a panel a load. From its head: rows,
# loads and kinds (word lists), set_names (servers as tics), note, and $totals: connections, row, calls, what to tell.
# Columns: server kind connections call from to row source.
tsv = name.'.tsv'
kind_colours = '#0072B2 #D55E00 #E69F00 #CC79A7 #009E73 #56B4E9 #6a7178'
of(kind, load, v) = strcol(2) eq kind && column(3) == load + 0 ? column(v) : NaN
thick = 0.34
# the key: coloured words, each as wide as its letters
place(i) = i == 1 ? 0 : place(i - 1) + 8.4 * strlen(word(kinds, i - 1)) + 16

set border 1
unset grid
set grid xtics lc rgb grid lw 1 lt 1
set xrange [0:x_max]
set yrange [rows + 0.6:0.4]
set multiplot layout 1, words(loads) \
	margins 112.0 / width, 1 - 50.0 / width, 52.0 / height, 1 - 78.0 / height spacing 50.0 / width, 0
do for [p = 1:words(loads)] {
	load = word(loads, p)
	unset label
	if (p == 1) { @set_names } else { set ytics ('' 1) }
	set tics scale 0
	if (p == 1) {
		do for [i = 1:words(kinds)] {
			set label 10 + i word(kinds, i) at screen (8.0 + place(i)) / width, screen 1 - 18.0 / height \
				left tc rgb word(kind_colours, i) font ',14'
		}
		set label 3 note at screen 1 - 8.0 / width, screen 1 - 18.0 / height right tc rgb soft
		set label 4 'system calls per request' at screen 0.5, screen 12.0 / height center tc rgb ink
	}
	set label 5 gprintf('%.0s%c connections', load + 0) at graph 0, graph 1 offset 0, 1.2 left tc rgb ink font ',14'
	plot for [i = 1:words(kinds)] tsv skip 1 using (of(word(kinds, i), load, 5)):7:(of(word(kinds, i), load, 5)): \
		(of(word(kinds, i), load, 6)):($7 - thick):($7 + thick) \
		with boxxyerror fs solid 1 noborder lc rgb word(kind_colours, i), \
	$totals using ($1 == load + 0 ? $3 : NaN):2:(sprintf('%.2f', $3)) \
		with labels left offset 0.5, 0 tc rgb ink font ',11', \
	$totals using ($1 == load + 0 ? $3 : NaN):2:4 with labels hypertext point pt 5 ps 1.6 lc rgb '#ffffffff'
}
unset multiplot
