// SPDX-License-Identifier: Apache-2.0
// As much HTML as it takes to fill in a form of our own pages without a browser.
const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

export function unescape(text) {
	return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
		if (hex) return String.fromCodePoint(parseInt(hex, 16));
		if (decimal) return String.fromCodePoint(Number(decimal));
		return entities[name] ?? whole;
	});
}

function attributes(tag) {
	const found = {};
	for (const match of tag.matchAll(/([^\s"'=<>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g))
		found[match[1].toLowerCase()] ??= unescape(match[2] ?? match[3] ?? match[4] ?? '');
	return found;
}

function field(name, tag, inner) {
	const at = attributes(tag);
	const kind = name === 'input' ? at.type ?? 'text' : name === 'button' ? at.type ?? 'submit' : name;
	let value = at.value;
	if (name === 'textarea') value = unescape(inner);
	if (name === 'select') {
		const options = [...inner.matchAll(/<option\b([^>]*)>([^<]*)/gi)].map((match) => ({ ...attributes(match[1]), text: unescape(match[2]).trim() }));
		const chosen = options.find((option) => 'selected' in option) ?? options[0];
		value = chosen?.value ?? chosen?.text;
		return { name: at.name, kind, value, options: options.map((option) => option.value ?? option.text) };
	}
	return { name: at.name, kind, value: value ?? (kind === 'checkbox' || kind === 'radio' ? 'on' : ''), is_checked: 'checked' in at, is_disabled: 'disabled' in at };
}

// The forms of a page: { action, method, fields: [{ name, kind, value, is_checked }] }.
export function forms(html) {
	const bare = html.replace(/<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?<\/\1>/gi, '');
	return [...bare.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map((match) => {
		const at = attributes(match[1]);
		const fields = [...match[2].matchAll(/<(input|button|select|textarea)\b([^>]*)>(?:([\s\S]*?)<\/\1>)?/gi)]
			.map((one) => field(one[1].toLowerCase(), one[2], /^(?:select|textarea)$/i.test(one[1]) ? one[3] ?? '' : ''));
		return { action: at.action ?? '', method: (at.method ?? 'get').toLowerCase(), fields };
	});
}

// What a browser would send for the form as it stands: pairs in their order, no button.
export function defaults(form) {
	return form.fields.filter(({ name, kind, is_checked, is_disabled }) => name && !is_disabled
		&& !['submit', 'button', 'reset', 'image', 'file'].includes(kind) && (!['checkbox', 'radio'].includes(kind) || is_checked))
		.map(({ name, value }) => [name, value]);
}

export function text_of(html) {
	return unescape(html.replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
}
