/* Customers who wait for news, and how long others wait meanwhile. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { post, request } from './http.js';

export async function leave(instance, member) {
    const form = { conf: member.conference, token: member.token, kind: 'leave', nonce: randomUUID() };
    assert.equal((await post(instance.base, '/cgi_bin/conf_post', form)).status, 200);
}

/* `count` customers in one room who each wait for its next event: {answered, what has come so far; all, a promise of all}. */
export function waiting(instance, customer, count, after) {
    const agent = new http.Agent({ maxSockets: Infinity });
    const path = `/cgi_bin/conf_poll?conf=${customer.conference}&token=${customer.token}&after=${after}&wait=25`;
    const state = { answered: [] };
    state.all = Promise.all(Array.from({ length: count }, async () => {
        const answer = await request(instance.base, 'GET', path, { agent, timeout: 60000 });
        const one = { status: answer.status, headers: answer.headers, pause_s: answer.status === 200 ? answer.json().pause_s : undefined };
        state.answered.push(one);
        return one;
    }));
    return state;
}

/* What it gives, and how long it took: {value, ms}. */
export async function timed(what) {
    const began = performance.now();
    const value = await what();
    return { value, ms: performance.now() - began };
}
