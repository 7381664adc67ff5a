// agent-head: the header and the banners below it: status, connection, phone, alerts, settings, signing out.
import { banner } from './banner.js';
import { statusOf } from './agent-state.js';
import { begin, byId, finish } from './agent-dialog.js';
import { askPermission, permission } from './notify.js';

const MISSED = {
  no_answer: 'You missed an invitation, so new ones go to others.',
  connection_lost: 'Your connection was gone for a while, so new invitations go to others.',
};

/**
 * @param {object} app desk, store, alerts, login, act, signOut, say, draw
 * @returns {{draw: () => void, connection: (state: string, info: object) => void, fault: (sentence: string) => void,
 *   goReady: () => void, shortcutsOn: () => boolean}}
 */
export function head(app) {
  return new Head(app);
}

class Head {
  constructor(app) {
    this.app = app;
    this.isLost = false;
    this.showLost = banner(byId('lost'));
    this.isSetting = false;
    this.shortcutsOn = () => app.store.get('desk-shortcuts') !== 'off';
    this.goReady = () => this.setStatus('ready');
    byId('status').addEventListener('change', ({ target }) => this.setStatus(target.value));
    for (const id of ['missed-ready', 'empty-ready']) byId(id).addEventListener('click', this.goReady);
    byId('fault-close').addEventListener('click', () => { byId('fault').hidden = true; });
    byId('out-button').addEventListener('click', () => app.signOut());
    this.menu();
    this.phone();
    this.settings();
  }

  // ── who, and how ready ──

  draw() {
    const { agent } = this.app.desk;
    byId('who').textContent = agent?.name || this.app.login();
    this.drawAlerts();
    if (this.isSetting) return;
    this.drawStatus(statusOf(agent));
    const why = agent?.state === 'notready' && MISSED[agent.reason];
    byId('missed').hidden = !why || !byId('lost').hidden;
    byId('missed-text').textContent = why || '';
  }

  /* A state that the agent cannot choose (a missed invitation) stands in the select as an option that exists only then. */
  drawStatus({ value, label, isReady }) {
    const select = byId('status');
    const extra = select.querySelector('option[hidden], option[data-extra]');
    const isKnown = [...select.options].some((option) => option !== extra && option.value === value);
    extra.hidden = isKnown;
    extra.toggleAttribute('data-extra', true);
    extra.value = isKnown ? 'notready' : value;
    extra.textContent = isKnown ? 'Not ready' : label;
    select.value = value;
    select.parentElement.classList.toggle('on', isReady);
  }

  async setStatus(value) {
    const [action, reason] = value.split(' ');
    const before = byId('status').value;
    this.isSetting = true;
    byId('status').value = value;
    try {
      const answer = await this.app.act({ action, reason });
      Object.assign(this.app.desk.agent ?? {}, answer.agent ?? { state: action, reason: reason ?? null, next: null });
      this.app.say(action === 'ready' ? 'You are available.' : 'You are not ready.');
    } catch (problem) {
      byId('status').value = before;
      this.fault(`Your status was not changed. ${problem.message}`);
    } finally {
      this.isSetting = false;
      this.app.draw();
    }
  }

  fault(sentence) {
    byId('fault-text').textContent = sentence;
    byId('fault').hidden = false;
    this.app.say(sentence);
  }

  // ── the connection ──

  connection(state, info) {
    this.isLost = state === 'lost';
    this.showLost(state, info);
    byId('desk').classList.toggle('stale', this.isLost);
    const pill = byId('net');
    pill.className = `pill ${this.isLost ? 'bad' : 'ok'}`;
    pill.lastElementChild.textContent = this.isLost ? 'Not connected' : 'Connected';
    this.draw();
  }

  // ── the menu of a narrow window ──

  menu() {
    const button = byId('menu-button');
    const open = (isOpen) => button.setAttribute('aria-expanded', String(isOpen));
    button.addEventListener('click', () => open(button.getAttribute('aria-expanded') !== 'true'));
    byId('menu').addEventListener('click', () => { open(false); button.focus(); }, true);
    document.addEventListener('pointerdown', ({ target }) => {
      if (!byId('menu').contains(target) && !button.contains(target)) open(false);
    });
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || button.getAttribute('aria-expanded') !== 'true') return;
      open(false);
      button.focus();
    });
  }

  // ── dialogs ──

  phone() {
    const fault = byId('phone-fault');
    const refuse = (sentence) => {
      fault.textContent = sentence;
      fault.hidden = !sentence;
      if (sentence) byId('phone').setAttribute('aria-invalid', 'true');
      else byId('phone').removeAttribute('aria-invalid');
    };
    byId('phone-button').addEventListener('click', () => {
      refuse('');
      byId('phone').value = this.app.desk.agent?.phone ?? '';
      byId('phone-dialog').showModal();
    });
    byId('phone-form').addEventListener('submit', async (event) => {
      event.preventDefault();
      const button = event.target.querySelector('.primary');
      if (!begin(button)) return;
      refuse('');
      const phone = byId('phone').value.trim();
      try {
        const answer = await this.app.act({ action: 'settings', phone });
        Object.assign(this.app.desk.agent ?? {}, { phone: answer.agent?.phone ?? phone });
        byId('phone-dialog').close();
        this.app.say('Your phone number is kept.');
        this.app.draw();
      } catch (problem) {
        refuse(problem.message);
        byId('phone').focus();
      } finally {
        finish(button);
      }
    });
  }

  settings() {
    const { alerts, store } = this.app;
    byId('settings-button').addEventListener('click', () => {
      byId('sound').checked = alerts.isOn();
      byId('shortcuts').checked = this.shortcutsOn();
      this.drawAlerts();
      byId('settings-dialog').showModal();
    });
    byId('sound').addEventListener('change', ({ target }) => alerts.setOn(target.checked));
    byId('shortcuts').addEventListener('change', ({ target }) => {
      store.set('desk-shortcuts', target.checked ? 'on' : 'off');
      this.app.draw();
    });
    byId('alerts-button').addEventListener('click', async () => {
      alerts.setOn(true);
      const answer = await askPermission();
      this.app.say(answer === 'granted' ? 'Alerts are on.' : 'Alerts are blocked in this browser; the sound is on.');
      this.drawAlerts();
    });
  }

  drawAlerts() {
    byId('alerts-button').hidden = permission() !== 'default';
    byId('alerts-state').textContent = {
      granted: 'Alerts outside this window are on.',
      denied: 'Alerts outside this window are blocked. Allow notifications for this site in the browser\'s settings.',
      default: 'Alerts outside this window are off. “Turn on alerts” in the header switches them on.',
      none: 'This browser has no alerts outside its window.',
    }[permission()];
  }
}
