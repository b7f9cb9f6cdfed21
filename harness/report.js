// Sorting and filtering of tables. The page is whole without it.
'use strict';
for (const table of document.querySelectorAll('table.sortable')) {
	const body = table.tBodies[0];
	const key = (row, column) => {
		const cell = row.cells[column];
		return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.trim();
	};
	const compare = (a, b) => {
		if (typeof a === 'number' && typeof b === 'number') return a - b;
		if (typeof a === 'number') return -1; // blanks last
		if (typeof b === 'number') return 1;
		return a.localeCompare(b, 'en', { numeric: true });
	};
	table.querySelectorAll('th').forEach((th, column) => {
		const button = document.createElement('button');
		button.type = 'button';
		button.append(...th.childNodes);
		th.append(button);
		button.addEventListener('click', () => {
			const down = th.getAttribute('aria-sort') === 'ascending';
			table.querySelectorAll('th').forEach(other => other.removeAttribute('aria-sort'));
			th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
			const rows = [...body.rows].sort((a, b) => compare(key(a, column), key(b, column)));
			if (down) rows.reverse();
			body.append(...rows);
		});
	});
	if (!table.classList.contains('filter')) continue;
	const input = document.createElement('input');
	input.type = 'search';
	input.placeholder = 'Filter: words that a row must contain';
	input.setAttribute('aria-label', 'Filter the table');
	input.addEventListener('input', () => {
		const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
		for (const row of body.rows) {
			const text = row.textContent.toLowerCase();
			row.hidden = !words.every(word => text.includes(word));
		}
	});
	table.parentElement.before(input);
}
