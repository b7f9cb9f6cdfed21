# A single load, by lines.gp: a row for each server, so that they can be compared; the value stands at the right.
# From its head: load_x and load_text, the load.
label_room = 136.0
value_room = 96.0
at(s, part, v) = strcol(1) eq s && strcol(2) eq part ? y_of(v) : NaN
second(s) = words(parts) > 1 ? at(s, word(parts, 2), 4) : NaN
half = 0.3

set border 1
set xrange [y_min:y_max]
set yrange [words(servers) + 0.7:0.3]
if (y_log) { set logscale x }
set format x y_format
eval 'set x'.y_tics[6:*]
unset ytics
unset grid
set grid xtics lc rgb grid lw 1 lt 1
set bars 0.5
set lmargin at screen label_room / width
set rmargin at screen 1 - value_room / width
set bmargin at screen 64.0 / height
set tmargin at screen 1 - 46.0 / height
set label 2 title_x.': '.load_text.piped at screen 8.0 / width, screen 1 - 18.0 / height left tc rgb ink
set label 3 words(parts) > 1 ? sprintf('mark and value: %s; stroke: %s', word(parts, 1), word(parts, 2)) : parts_note \
	at screen 1 - 8.0 / width, screen 1 - 18.0 / height right tc rgb soft
set label 4 title_y at screen 0.5, screen 12.0 / height center tc rgb ink
set label 5 empty_note at graph 0.5, graph 0.5 center tc rgb soft
do for [i = 1:words(servers)] {
	s = word(servers, i)
	set label 10 + i s.(is_reference(s) ? ' (reference)' : '') at graph 0, first i left offset screen -(label_room - 8) / width, 0 \
		tc rgb colour(s)
	set arrow 10 + i from graph 0, first i to graph 1, first i nohead lc rgb grid lw 1 dt 6 back
}
do for [d in ceilings] {
	if (d ne '') { set arrow 1 from load_x / (d + 0), graph 0 to load_x / (d + 0), graph 1 nohead dt 5 lc rgb soft lw 1.2 }
}
plot for [s in servers] tsv skip 1 using (second(s)):(index_of(s) - half):(0):(2 * half) \
		with vectors nohead lc rgb colour(s) lw 2.4, \
	for [part in parts] for [s in servers] tsv skip 1 \
		using (column(5) < column(6) ? at(s, part, 4) : NaN):(index_of(s)):(y_of(5)):(y_of(6)) \
		with xerrorbars lc rgb colour(s) lw 1.2 pt -1, \
	for [s in servers] tsv skip 1 using (at(s, word(parts, 1), 4)):(index_of(s)):(mark(s)) \
		with points lc rgb colour(s) lw 1.4 ps 0.9 pt variable, \
	for [part in parts] for [s in servers] tsv skip 1 \
		using (or_corner(has(s, part), at(s, part, 4), y_min)):(index_of(s)):(has(s, part) ? hover(s) : '') \
		with labels hypertext point pt 7 ps 1.2 lc rgb unseen(s), \
	for [s in servers] $ends using (y_max):(index_of(s)):(text_of(s, 5)) with labels left offset 1, 0 tc rgb colour(s), \
	for [s in servers] $stops using (y_min * 1.0001):(index_of(s)):(text_of(s, 4)) \
		with labels left offset 1, 0 tc rgb soft font ',11', \
	NaN
