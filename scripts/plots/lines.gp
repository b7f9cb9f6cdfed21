# What servers do over the number of connections: median with its 95% interval for every server and part. Loaded by
# the figures that look like this. Beside style.gp's it wants: title_y, title_x, parts (first solid, second dashed),
# parts_note, fill (areas under the parts), ceilings (word list of delays in s), in_flight (requests a connection has at
# a time), layout (what draws it: panels.gp, or of a single load rows.gp), $ends and $stops (in the head).
#   $ends   server x y label_y text          where a line ends and what stands there
#   $stops  server x y text                  where it ends early, and why
tsv = name.'.tsv'
part_dash(s, part) = part eq word(parts, 1) ? dash(s) : 5
x_of(s, part) = strcol(1) eq s && strcol(2) eq part ? (column(3) > 0 ? column(3) : x_zero) : NaN
y_of(v) = column(v) >= y_floor ? column(v) : column(v) < y_floor ? y_floor : NaN
plainly(v) = abs(v) >= 1000 ? sprintf('%.0f', v) : sprintf('%.4g', v)
interval(n) = valid(n + 1) && strcol(7) ne '1' ? sprintf(' [%s, %s]', plainly(column(n)), plainly(column(n + 1))) : ''
hover(s) = sprintf('%s%s at %s: %s%s, %s run%s%s', s, words(parts) > 1 ? ' '.strcol(2) : '', strcol(3), plainly(column(4)), \
	interval(5), strcol(7), strcol(7) eq '1' ? '' : 's', strcol(8) eq 'valid' ? '' : ', '.strcol(8))
mark(s) = point(s) - (strcol(8) eq 'client-limited')
# gnuplot 5.4 crashes on labels of which none has a place: the first row, if not wanted, stands unseen in a corner
has(s, part) = strcol(1) eq s && strcol(2) eq part && valid(4)
or_corner(wanted, value, corner) = wanted ? value : column(0) == 0 ? corner : NaN
piped = in_flight > 1 ? sprintf(', %d requests in flight on each', in_flight) : ''
# an empty list runs once, with ''
ceiling(delay, n) = delay eq '' ? NaN : n / (delay + 0)
load layout
