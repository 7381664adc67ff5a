// conf: the customer's window. It takes over the page that the server drew (which works without this too) and keeps it true:
// one feed of answers, one outbox, one log.
import { alerts } from './alert.js';
import { banner } from './banner.js';
import { composer } from './composer.js';
import { icon, make } from './dom.js';
import { feed } from './feed.js';
import { opens } from './lines.js';
import { log } from './log.js';
import { outbox } from './outbox.js';
import { once, post } from './post.js';
import { fileSender } from './sending.js';

const PILL_EVERY = 15000;
const $ = (id) => document.getElementById(id);

class Conference {
  constructor(main) {
    const { conf, token, csrf, member, after, state, fileMax, fileMaxText } = main.dataset;
    Object.assign(this, { main, conf, token, csrf, state, unseen: 0, pillAt: 0, pillTimer: 0 });
    this.me = member ? Number(member) : null;
    this.alerts = alerts();
    this.log = log({
      box: $('logbox'), typing: $('typing'), me: this.me,
      fileUrl: (file) => this.withToken(file.url ?? `/cgi_bin/file_get?id=${encodeURIComponent(file.id)}`),
      onChoices: (choices) => this.choices(choices),
      onResend: (nonce) => this.outbox.resend(nonce),
      onDiscard: (nonce) => this.outbox.discard(nonce),
      onSeen: (id) => this.outbox.confirm(id),
    });
    this.outbox = outbox({
      key: `out-${conf}-${member}`, send: (item) => this.send(item), onChange: (items) => this.unsent(items),
    });
    const files = fileSender({ log: this.log, fields: () => this.keys(), maxBytes: Number(fileMax), maxText: fileMaxText });
    if ($('composer')) this.compose(files, fileMaxText);
    this.controls();
    this.listen(Number(after));
    // Without cookies the ticket in the address soon runs out: so that a reload works, the token has to stand there.
    if (token) history.replaceState(null, '', this.withToken(`/cgi_bin/conf_view?conf=${encodeURIComponent(conf)}`));
  }

  compose(onFiles, fileMaxText) {
    this.attach(fileMaxText);
    this.composer = composer($('composer'), {
      draft: `draft-${this.conf}-${this.me}`, dropOn: this.main, onFiles,
      onSend: (text) => this.outbox.add({ kind: 'message', text }),
      onTyping: () => this.typing(),
    });
  }

  listen(after) {
    const show = banner($('lost'));
    const address = `/cgi_bin/conf_poll?conf=${encodeURIComponent(this.conf)}`;
    this.feed = feed({
      name: `poll-${this.conf}-${this.me}`, after,
      url: (since, wait) => this.withToken(`${address}&after=${since}&wait=${wait}`),
      onAnswer: (answer) => this.answer(answer),
      onState: (state, info) => {
        show(state, info);
        if (state === 'live') this.outbox.wake();
      },
      onEnd: ({ sentence }) => this.refused(sentence),
    });
    document.addEventListener('visibilitychange', () => this.seen());
    globalThis.addEventListener('focus', () => this.seen());
  }

  // ── to the server ──

  keys() {
    return { conf: this.conf, token: this.token, csrf: this.csrf };
  }

  withToken(url) {
    if (!this.token || /[?&]token=/.test(url)) return url;
    return `${url}${url.includes('?') ? '&' : '?'}token=${encodeURIComponent(this.token)}`;
  }

  send({ nonce, fields }) {
    return post('/cgi_bin/conf_post', { ...this.keys(), token: this.token || null, nonce, ...fields });
  }

  typing() {
    if (this.state === 'talking') this.send({ nonce: once(), fields: { kind: 'typing' } }).catch(() => {});
  }

  async call() {
    this.notice('');
    try {
      await this.send({ nonce: once(), fields: { kind: 'call' } });
    } catch (problem) {
      this.notice(problem.message);
    }
  }

  // ── from the server ──

  answer({ events, state, queue, csrf, more }) {
    if (csrf) this.csrf = csrf;
    const news = this.log.add(events);
    this.heed(news);
    const isNew = state !== this.state;
    this.state = state;
    this.pill(pillText(state, queue), isNew);
    this.closed(state === 'waiting' ? queue?.opens_at : null);
    if (state === 'ended' && !more) this.end();
    if (news.some((event) => event.kind === 'rating' && event.from?.member === this.me)) this.thank();
    return state !== 'ended' || more;
  }

  /* Sound and title: somebody came, somebody wrote. */
  heed(news) {
    const others = news.filter((event) => event.from?.member !== this.me);
    const words = others.filter((event) => event.kind === 'message' || event.kind === 'file');
    const isLooking = document.visibilityState === 'visible' && document.hasFocus();
    if (others.some((event) => event.kind === 'joined' && event.from.role !== 'bot')) this.alerts.sound('joined');
    else if (words.length && !isLooking) this.alerts.sound('message');
    if (!isLooking && words.length) {
      this.unseen += words.length;
      this.alerts.unread(this.unseen);
    }
  }

  seen() {
    if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
    this.unseen = 0;
    this.alerts.unread(0);
  }

  unsent(items) {
    this.log.unsent(items);
    if (items.some(({ fields, state }) => fields.kind === 'rating' && state !== 'failed')) this.thank();
    for (const item of items) {
      const isShown = item.fields.kind === 'message';
      if (item.state === 'sent' && !isShown) queueMicrotask(() => this.outbox.confirm(item.id));
      if (item.state === 'failed' && !isShown) {
        this.notice(item.reason);
        queueMicrotask(() => this.outbox.discard(item.nonce));
      }
    }
  }

  refused(sentence) {
    this.notice(sentence);
    this.over();
  }

  // ── what the page shows ──

  /* A page that was loaded after the end has neither of them. */
  over() {
    this.composer?.close(true);
    if ($('actions')) $('actions').hidden = true;
  }

  /* A number that changes every second floods a screen reader: at most every 15 s, unless the state itself changes. */
  pill({ text, tone }, isAtOnce) {
    clearTimeout(this.pillTimer);
    const show = () => {
      this.pillAt = Date.now();
      $('queue').textContent = text;
      $('queue').className = `pill ${tone}`;
    };
    const wait = this.pillAt + PILL_EVERY - Date.now();
    if ($('queue').textContent.trim() === text) return;
    if (isAtOnce || wait <= 0) show();
    else this.pillTimer = setTimeout(show, wait);
  }

  /* Outside of the opening hours, also when they are over while he waits. */
  closed(opensAt) {
    const panel = $('closed');
    if (!panel) return;
    panel.hidden = !opensAt;
    if ($('leave-word')) $('leave-word').textContent = opensAt ? 'Withdraw' : 'Leave';
    if (!opensAt) return;
    if (!$('opens')) fillClosed(panel);
    $('opens').textContent = opens(opensAt);
  }

  choices(choices) {
    const form = $('chips');
    for (const old of form.querySelectorAll('button')) old.remove();
    form.append(...choices.map((text) => make('button', { class: 'btn', name: 'text', value: text }, text)));
    form.hidden = !choices.length;
  }

  notice(sentence) {
    const line = $('notice');
    line.hidden = !sentence;
    const close = make('button', { class: 'btn small', type: 'button', onclick: () => this.notice('') }, 'Close');
    line.replaceChildren(...(sentence ? [make('span', {}, sentence), close] : []));
  }

  end() {
    const hadFocus = $('composer')?.contains(document.activeElement);
    this.over();
    this.choices([]);
    this.log.typing(null);
    $('lost').hidden = true;
    this.ending = this.drawEnd(hadFocus).catch(() => location.reload());
  }

  /* What is only needed now is only loaded now; where it cannot be, the server draws it. */
  async drawEnd(hadFocus) {
    const address = `/cgi_bin/transcript?conf=${encodeURIComponent(this.conf)}&format=html`;
    if (!$('ended')) {
      const { endedPanel } = await import('./ended.js');
      this.main.append(endedPanel(this.withToken(address)));
    }
    this.onSubmit('rating', (event) => this.rate(new FormData(event.target)));
    this.log.toEnd();
    if (hadFocus) $('ended').focus();
  }

  // ── what the person presses ──

  controls() {
    this.onSubmit('chips', (event) => {
      const text = event.submitter?.value;
      if (text) this.outbox.add({ kind: 'message', text });
      this.choices([]);
      this.composer?.focus();
    });
    this.onSubmit('call', () => this.call());
    this.onSubmit('leave', () => this.leave());
    this.onSubmit('solved', () => this.ask('solved', 'Yes, it is solved', 'Is your problem solved?',
      'Then the conversation ends, and nobody needs to come.'));
    this.settings();
  }

  /* Whoever has left a message and wants to go means to keep it: closing the window is enough. */
  leave() {
    if ($('closed')?.hidden === false) {
      this.ask('leave', 'Withdraw', 'Withdraw your message?',
        'The conversation ends, and nobody reads it. To keep it, close this window instead.');
    } else {
      this.ask('leave', 'Leave', 'Leave the conversation?', 'It ends for you. Nobody can answer you here afterwards.');
    }
  }

  onSubmit(id, action) {
    $(id)?.addEventListener('submit', (event) => { event.preventDefault(); action(event); });
  }

  /* The browser gives the focus back to the button when the dialog closes. */
  ask(kind, yes, title, text) {
    const buttons = make('form', { method: 'dialog', class: 'row end' },
      make('button', { class: 'btn', value: 'no' }, 'Stay'),
      make('button', { class: 'btn danger', value: 'yes', id: 'sure-yes' }, yes));
    const dialog = make('dialog', { id: 'sure', 'aria-labelledby': 'sure-title' },
      make('h2', { id: 'sure-title' }, title), make('p', {}, text), buttons);
    dialog.addEventListener('close', () => {
      if (dialog.returnValue === 'yes') this.outbox.add({ kind });
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  rate(entries) {
    this.outbox.add({ kind: 'rating', stars: entries.get('stars'), text: entries.get('text') ?? '' });
    $('ended').focus();
  }

  /* Also after a reload that came before the rating had arrived: the server then drew the form once more. Either the outbox still
   * has it, or it came as an event behind those that were drawn. */
  async thank() {
    await this.ending;
    $('rating')?.replaceWith(make('p', { id: 'thanks' }, 'Thank you for your rating.'));
  }

  async copy(button, field) {
    field.select();
    const isDone = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    button.textContent = isDone ? 'Copied' : 'Press Ctrl and C now';
  }

  /* What is so only with this module: which key sends, and files here; without it they have a form of their own. */
  attach(maxText) {
    $('text').setAttribute('aria-describedby', 'text-hint');
    $('text').after(make('span', { class: 'vh', id: 'text-hint' }, 'Enter sends, Shift and Enter makes a new line'));
    const words = make('span', { class: 'vh' }, `Attach a file, up to ${maxText}`);
    $('composer').querySelector('label[for=text]').before(
      make('label', { class: 'btn icon', for: 'file' }, words, icon('clip')),
      make('input', { class: 'vh', type: 'file', id: 'file', multiple: true }),
    );
  }

  settings() {
    const more = $('more');
    if (!more) return;
    const sound = make('input', { type: 'checkbox', id: 'sound', onchange: () => this.alerts.setOn(sound.checked) });
    sound.checked = this.alerts.isOn();
    more.querySelector('.pop').append(make('label', { class: 'check', for: 'sound' }, sound, ' Play a sound for new messages'));
    for (const field of [$('invite-url'), $('way-back')].filter(Boolean)) {
      const copy = make('button', { class: 'btn', type: 'button', onclick: () => this.copy(copy, field) }, 'Copy the link');
      field.after(copy);
    }
    document.addEventListener('click', (event) => { if (!more.contains(event.target)) more.open = false; });
    more.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !more.open) return;
      more.open = false;
      more.querySelector('summary').focus();
    });
  }
}

/* The words of templates/closed.html, for a room that was opened before the hour: a text browser would show them hidden, too. */
function fillClosed(panel) {
  panel.setAttribute('aria-labelledby', 'closed-title');
  panel.append(make('h2', { id: 'closed-title' }, 'We are closed until ', make('span', { id: 'opens' })),
    make('p', {}, 'What you write here is kept, and the first who comes reads it. You may close this window and come back.'));
}

function pillText(state, queue) {
  if (state === 'ended') return { text: 'Ended', tone: '' };
  if (state === 'talking') return { text: 'A person is with you', tone: 'ok' };
  if (!queue) return { text: 'Waiting for a person', tone: 'warn' };
  if (queue.opens_at) return { text: `Closed until ${opens(queue.opens_at, true)}`, tone: 'warn' };
  const minutes = queue.wait_s ? Math.ceil(queue.wait_s / 60) : 0;
  return { text: `Number ${queue.position} in the queue${minutes ? ` · about ${minutes} min` : ''}`, tone: 'warn' };
}

new Conference($('main'));
