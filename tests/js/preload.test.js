/* The customer's window asks for all of its modules at once: one that is only found in another comes a way to the server and back
 * later, and until the last one is there, Enter does not send. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

const htdocs = new URL('../../htdocs/', import.meta.url);
const textOf = (name) => fs.readFileSync(new URL(name, htdocs), 'utf8');

function neededBy(name, known = new Set()) {
  for (const [, other] of textOf(`js/${name}`).matchAll(/^(?:import|export) [^;]*from '\.\/([\w-]+\.js)';$/gm)) {
    if (known.has(other)) continue;
    known.add(other);
    neededBy(other, known);
  }
  return known;
}

test('the window names every module that its own needs, and no other', () => {
  const page = textOf('templates/conf.html');
  const named = [...page.matchAll(/<link rel="modulepreload" href="\/js\/([\w-]+\.js)">/g)].map(([, name]) => name);
  const needed = [...neededBy('conf.js')];
  assert.ok(needed.includes('places.js'), 'it is looked for behind others, too');
  assert.deepEqual(named, needed.sort());
});
