// What a script adds to the page, which is whole without it: sorting and filtering of tables, servers that are shown
// or hidden in all figures, and the values of points under the pointer.
'use strict';

function element(name, properties, ...children) {
	const made = Object.assign(document.createElement(name), properties);
	made.append(...children);
	return made;
}

// --- tables

function sortable(table) {
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
	const heads = [...table.tHead.rows[0].cells];
	heads.forEach((th, column) => {
		const button = element('button', { type: 'button' }, ...th.childNodes);
		th.append(button);
		button.addEventListener('click', () => {
			const down = th.getAttribute('aria-sort') === 'ascending';
			heads.forEach(other => other.removeAttribute('aria-sort'));
			th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
			const rows = [...body.rows].sort((a, b) => compare(key(a, column), key(b, column)));
			if (down) rows.reverse();
			body.append(...rows);
		});
	});
}

function filtered(table) {
	const rows = [...table.tBodies[0].rows].map(row => ({ row, text: row.textContent.toLowerCase() }));
	const input = element('input', { type: 'search', placeholder: 'Filter: words that a row must contain' });
	const count = element('output', { textContent: `${rows.length} rows` });
	input.setAttribute('aria-label', 'Filter the table');
	input.addEventListener('input', () => {
		const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
		for (const { row, text } of rows) row.hidden = !words.every(word => text.includes(word));
		const shown = rows.filter(({ row }) => !row.hidden).length;
		count.textContent = words.length ? `${shown} of ${rows.length} rows` : `${rows.length} rows`;
	});
	table.parentElement.before(element('p', { className: 'filtering' }, input, count));
}

for (const table of document.querySelectorAll('table.sortable')) sortable(table);
for (const table of document.querySelectorAll('table.filter')) filtered(table);

// --- servers shown and hidden

function switches(legend) {
	const rules = document.head.appendChild(document.createElement('style'));
	const buttons = [...legend.children].map(name => {
		const button = element('button', { type: 'button', className: name.className, textContent: name.textContent });
		name.replaceWith(button);
		return button;
	});
	const show = (button, shown) => button.setAttribute('aria-pressed', shown);
	const apply = () => {
		rules.textContent = buttons.filter(button => button.getAttribute('aria-pressed') === 'false')
			.map(button => `.d-${CSS.escape(button.textContent)} { display: none }`).join('\n');
	};
	for (const button of buttons) {
		show(button, true);
		button.addEventListener('click', () => {
			show(button, button.getAttribute('aria-pressed') === 'false');
			apply();
		});
	}
	for (const [text, shown] of [['show all', true], ['hide all', false]]) {
		const all = element('button', { type: 'button', className: 'all', textContent: text });
		all.addEventListener('click', () => {
			for (const button of buttons) show(button, shown);
			apply();
		});
		legend.append(all);
	}
}

for (const legend of document.querySelectorAll('.legend')) switches(legend);

// --- values of points

const tip = document.body.appendChild(element('div', { className: 'tip', hidden: true }));
document.addEventListener('pointerover', event => {
	const point = event.target.closest('.h');
	tip.hidden = !point;
	if (!point) return;
	const title = point.querySelector('title');
	if (title) { // the browser's own would come late, and beside this one
		point.dataset.text = title.textContent;
		title.remove();
	}
	tip.textContent = point.dataset.text;
	const at = point.getBoundingClientRect(), width = tip.offsetWidth;
	const left = Math.min(at.left + at.width / 2 - width / 2, document.documentElement.clientWidth - width - 8);
	tip.style.left = `${Math.max(8, left)}px`;
	tip.style.top = `${at.top > tip.offsetHeight + 16 ? at.top - tip.offsetHeight - 6 : at.bottom + 6}px`;
});
document.addEventListener('scroll', () => { tip.hidden = true; }, { passive: true, capture: true });
