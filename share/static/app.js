// SPDX-License-Identifier: Apache-2.0
// Comfort only: every page works without it. A button with data-arm answers after so many milliseconds that
// the page was visible, and a form is sent once.
'use strict';

function arm(button) {
	let left = Number(button.dataset.arm);
	let since = 0;
	let timer = 0;
	const ready = () => {
		button.removeAttribute('aria-disabled');
		button.dataset.armed = 'yes';
		document.removeEventListener('visibilitychange', watch);
	};
	const watch = () => {
		clearTimeout(timer);
		if (document.visibilityState === 'visible') {
			since = performance.now();
			timer = setTimeout(ready, left);
		} else if (since !== 0) {
			left = Math.max(0, left - (performance.now() - since));
		}
	};
	button.setAttribute('aria-disabled', 'true');
	button.addEventListener('click', (event) => {
		if (button.dataset.armed !== 'yes') event.preventDefault();
	});
	document.addEventListener('visibilitychange', watch);
	watch();
}

for (const button of document.querySelectorAll('button[data-arm]')) arm(button);

// A page that comes back from the history is a new look at it.
addEventListener('pageshow', (event) => {
	if (event.persisted) location.reload();
});
