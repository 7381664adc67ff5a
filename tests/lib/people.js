/* What people do at an instance, in the calls of the wire contract: customers ask and write, agents sign in, are offered and
 * accept. Every function asserts that its call succeeded and gives the answer's JSON. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cookiesOf, get, post, request } from './http.js';
import { sleep, until } from './instance.js';

const asJson = { accept: 'application/json' };

function answered(answer, what) {
    assert.equal(answer.status, 200, `${what}: ${answer.status} ${answer.body}`);
    return answer.json();
}

/* A customer sends the form: {conference, token, window, queue}. On a machine that is busy with other things it may be kept first
 * (202): then he sends it again when he is told to, as a browser does. */
export async function ask(instance, entries = {}) {
    const form = { name: 'Ann', phone: '+16035551234', question: 'It does not work.', reqid: randomUUID(), ...entries };
    const send = () => post(instance.base, '/cgi_bin/form_submit', form, asJson);
    let answer = await send();
    for (let tries = 0; answer.status === 202 && tries < 5; tries++) {
        assert.match(answer.headers['retry-after'], /^\d+$/);
        await sleep(1000 * answer.headers['retry-after']);
        answer = await send();
    }
    return answered(answer, answer.status === 200 ? 'form_submit' : `form_submit, ${instance.log?.().slice(-2000)}`);
}

/* {agent, role, token, csrf, cookie}. */
export async function signIn(instance, login) {
    const form = { login, password: instance.password };
    const answer = await post(instance.base, '/cgi_bin/agent_sign', form, asJson);
    return { ...answered(answer, `agent_sign of ${login}`), cookie: cookiesOf(answer) };
}

export async function act(instance, agent, action, entries = {}) {
    const form = { action, ...entries };
    const answer = await post(instance.base, '/cgi_bin/agent_act', form, { bearer: agent.token, ...asJson });
    return answered(answer, `agent_act ${action}`);
}

/* One poll of an agent; each is his heartbeat. */
export async function agentPoll(instance, agent, after = 0, wait = 0, options = {}) {
    const answer = await get(instance.base, '/cgi_bin/agent_poll', { after, wait }, { bearer: agent.token, ...asJson, ...options });
    return answered(answer, 'agent_poll');
}

/* Signs in and is ready for offers. */
export async function readyAgent(instance, login) {
    const agent = await signIn(instance, login);
    await act(instance, agent, 'ready');
    await agentPoll(instance, agent);
    return agent;
}

/* The offer of that conference (of any, without one), as soon as it is there. */
export const waitForOffer = (instance, agent, conference) => until(async () => {
    const { offers } = await agentPoll(instance, agent, 0, 1);
    return offers.find((offer) => conference === undefined || offer.conference === conference);
}, `an offer to ${agent.agent}`, 15000, 100);

/* Accepts: {conference, token, window, join_url}. */
export const accept = (instance, agent, offer) => act(instance, agent, 'accept', { reservation: offer.reservation });

/* `member` is whatever has conference and token: the answer of ask() or of accept(). */
export async function say(instance, member, text, nonce = randomUUID(), options = {}) {
    const form = { conf: member.conference, token: member.token, kind: 'message', text, nonce };
    return answered(await post(instance.base, '/cgi_bin/conf_post', form, { ...asJson, ...options }), 'conf_post');
}

export async function confPoll(instance, member, after = 0, wait = 0, options = {}) {
    const query = { conf: member.conference, token: member.token, after, wait };
    return answered(await get(instance.base, '/cgi_bin/conf_poll', query, { ...asJson, ...options }), 'conf_poll');
}

/* All events that a member may see, over as many polls as it takes. */
export async function allEvents(instance, member) {
    const events = [];
    for (let after = 0, more = true; more;) {
        const page = await confPoll(instance, member, after);
        events.push(...page.events);
        ({ after, more } = page);
    }
    return events;
}

export async function sendFile(instance, member, name, type, data, nonce = randomUUID()) {
    const fields = { conf: member.conference, token: member.token, nonce, file: { name, type, data } };
    return answered(await request(instance.base, 'POST', '/cgi_bin/file_put', { multipart: fields, ...asJson }), 'file_put');
}

/* A customer and an agent in one conference: {customer, agent, staff}; staff is the agent as a member. */
export async function conversation(instance, login = 'anna', entries = {}) {
    const agent = await readyAgent(instance, login);
    const customer = await ask(instance, entries);
    const offer = await waitForOffer(instance, agent, customer.conference);
    return { agent, customer, staff: await accept(instance, agent, offer) };
}
