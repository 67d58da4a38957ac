// The script of the status page: opens one stream while the page is seen, and puts what comes into
// its place. Comments and indentation are left out of what is served, so every statement ends with a
// semicolon. Names and texts come as HTML that the gateway has escaped; nothing here makes HTML.
'use strict';
(() => {
	const by = id => document.getElementById(id), body = document.body, find = by('q');
	const made = document.createElement('template');
	let stream, fresh = body.dataset.e, timer, news = [], told;
	const sought = () => '&q=' + encodeURIComponent(find ? find.value : '');
	// What comes together is read out together.
	const tell = words => {
		news.push(words);
		clearTimeout(told);
		told = setTimeout(() => {
			by('say').textContent = news.join('. ');
			news = [];
		}, 100);
	};
	// An element takes the place of its former self; the focus stays where it was within it.
	const put = box => e => {
		made.innerHTML = e.data;
		const now = made.content.firstChild, was = by(now.id);
		if (!was) {
			by(box).append(now);
			return;
		}
		const stops = 'a,button', at = [...was.querySelectorAll(stops)].indexOf(document.activeElement);
		if (was.dataset.say !== now.dataset.say && now.dataset.say) tell(now.dataset.say);
		was.replaceWith(now);
		if (at >= 0) now.querySelectorAll(stops)[at]?.focus();
	};
	// Who is not in the list goes; the others stand in its order. Nothing is moved that stands right.
	const order = e => {
		const ids = e.data.trim().split(' ');
		for (const box of ['s', 'p', 'c', 'n'].map(by)) {
			if (!box) continue;
			const mine = ids.map(by).filter(one => one && one.parentNode === box);
			for (const one of [...box.children]) if (!mine.includes(one)) one.remove();
			mine.forEach((one, i) => {
				if (box.children[i] !== one) box.insertBefore(one, box.children[i]);
			});
		}
	};
	const close = () => {
		if (stream) stream.close();
		stream = null;
	};
	const open = () => {
		close();
		stream = new EventSource(fresh + sought());
		for (const box of ['s', 'p', 'c', 'n']) stream.addEventListener(box, put(box));
		stream.addEventListener('order', order);
		stream.addEventListener('end', () => location.reload());
		stream.onopen = () => body.classList.remove('lost');
		stream.onerror = () => body.classList.add('lost');
		// What the page had when it was loaded is known to the gateway once.
		fresh = fresh.replace(/k=\w+/, 'k=0');
	};
	const seen = () => document.hidden ? close() : open();
	document.addEventListener('visibilitychange', seen);
	addEventListener('pagehide', close);
	addEventListener('pageshow', e => e.persisted && seen());
	if (find) {
		find.addEventListener('input', () => {
			clearTimeout(timer);
			timer = setTimeout(open, 200);
		});
		find.form.addEventListener('submit', e => {
			e.preventDefault();
			open();
		});
	}
	seen();
})();
