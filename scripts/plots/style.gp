# What all figures share: the terminal, inks, axes, and how a server is drawn. Loaded by every NAME.gp, after its
# head has set: name, width, height, panels, panel_columns, servers, colours, behinds, points, dashes (word lists in the
# same order), and x_*, y_*.
# No text is ever interpreted: noenhanced, single quotes, and server names from a whitelist.
if (!exists('out')) out = name.'.svg'
set encoding utf8
set terminal svg size width,height dynamic noenhanced font 'sans-serif,13' background '#ffffff'
set output out
set datafile separator tab

ink = '#202428'      # text; the page replaces these three by its own, light or dark
soft = '#6a7178'     # axes, notes
grid = '#e3e5e8'

set border 3 lc rgb soft lw 1
set tics nomirror out scale 0.5 textcolor rgb ink
set grid ytics lc rgb grid lw 1 lt 1
unset key

# dash types by family: readiness, library, completion, thread, process, coroutine, runtime, reference
set dashtype 1 solid
set dashtype 2 (9,4)
set dashtype 3 (9,3,2,3)
set dashtype 4 (14,3)
set dashtype 5 (4,4)
set dashtype 6 (2,3)
set dashtype 7 (9,3,2,3,2,3)
set dashtype 8 (1,2)

index_of(s) = int(sum [i=1:words(servers)] (word(servers, i) eq s ? i : 0))
colour(s) = s eq '' ? '#000000' : word(colours, index_of(s))
behind(s) = s eq '' ? '#000000' : word(behinds, index_of(s))
unseen(s) = '#ff'.substr(colour(s), 2, 7)
point(s) = s eq '' ? 7 : int(word(points, index_of(s)))
dash(s) = s eq '' || panels > 1 ? 1 : int(word(dashes, index_of(s)))

# a reference (see the dash types) is no model: what stands above its panel says so
is_reference(s) = s ne '' && int(word(dashes, index_of(s))) == 8
named(s) = is_reference(s) ? s.': reference, not equivalent' : s

# more than six series: one panel each, the others in grey behind, on equal axes
panel_rows = (panels + panel_columns - 1) / panel_columns
shown(p) = panels > 1 ? word(servers, p) : servers
greyed(p) = panels > 1 ? servers : ''
at_left(p) = (p - 1) % panel_columns == 0

# room in pixels: the gaps hold the labels at the lines' ends
left = 62.0 / width
right = 1 - (panels > 1 ? 58.0 : 120.0) / width
bottom = 64.0 / height
top = 1 - 74.0 / height
gap = 54.0 / width
row_gap = 76.0 / height

stats name.'.tsv' skip 1 using 3 nooutput
drawn = exists('STATS_records') ? STATS_records : 0
empty_note = drawn > 0 ? '' : 'no data in this run'

# the text of a row that is this server's: gnuplot 5.4 dies of a set of labels without a single valid point
text_of(s, n) = strcol(1) eq s ? strcol(n) : ''
