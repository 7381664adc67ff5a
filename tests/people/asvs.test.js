/* The table of requirements in this folder's README.md has each requirement once, in order, and names only tests that there are:
 * files, and words that stand in them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { tree } from '../lib/instance.js';

const text = fs.readFileSync(path.join(tree, 'tests/people/README.md'), 'utf8');
const rows = [...text.matchAll(/^\| (\d+)\.(\d+)\.(\d+) \| (.*?) \| (.*) \|$/gm)];

/* How many requirements of level 1 and 2 each section of 5.0.0 has; those of level 3 come after them. */
const sections = { '1.1': 2, '1.2': 9, '1.3': 11, '1.4': 3, '1.5': 2, '2.1': 3, '2.2': 3, '2.3': 4, '2.4': 1, '3.2': 2, '3.3': 4, '3.4': 6,
    '3.5': 5, '3.7': 2, '4.1': 3, '4.2': 1, '4.3': 2, '4.4': 4, '5.1': 1, '5.2': 3, '5.3': 2, '5.4': 3, '6.1': 3, '6.2': 12, '6.3': 4,
    '6.4': 4, '6.5': 5, '6.6': 3, '6.8': 4, '7.1': 3, '7.2': 4, '7.3': 2, '7.4': 5, '7.5': 2, '7.6': 2, '8.1': 2, '8.2': 3, '8.3': 1,
    '8.4': 1, '9.1': 3, '9.2': 4,
    '11.1': 2, '11.2': 3, '11.3': 3, '11.4': 4, '11.5': 1, '11.6': 1, '12.1': 3, '12.2': 2, '12.3': 4, '13.1': 1, '13.2': 5,
    '13.3': 2, '13.4': 5, '14.1': 2, '14.2': 4, '14.3': 3, '15.1': 3, '15.2': 3, '15.3': 7, '16.1': 1, '16.2': 5, '16.3': 4, '16.4': 3,
    '16.5': 3, '17.1': 1, '17.2': 4, '17.3': 2 };

test('no requirement of level 1 and 2 is left out', () => {
    const counted = {};
    for (const [, chapter, section] of rows) counted[`${chapter}.${section}`] = (counted[`${chapter}.${section}`] ?? 0) + 1;
    assert.deepEqual(counted, sections);
});

test('every requirement stands once and in order, with a test or a reason', () => {
    const numbers = rows.map(([, ...ids]) => ids.slice(0, 3).reduce((sum, one) => sum * 100 + Number(one), 0));
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
});

/* `file` "words of its test", and more of them; or why there is none. */
const proof = /`((?:tests|conf|cgi-bin|lib)\/[\w./-]+)` "([^"]{8,})"/g, REASON_LEAST = 15;

test('every requirement has tests that are there, by file and words, or a reason that says something', () => {
    for (const [row, , , , how, held] of rows) {
        for (const [, said] of `${how} ${held}`.matchAll(/\b(?:open|no):(.*)/g)) assert.ok(said.trim().length >= REASON_LEAST, row);
        if (/^(open|no): /.test(held)) continue;
        const proofs = [...held.matchAll(proof)];
        assert.equal(proofs.map(([one]) => one).join(', '), held, 'nothing but tests and their words');
        for (const [, file, words] of proofs)
            assert.ok(fs.readFileSync(path.join(tree, file), 'utf8').includes(words), `${row}: "${words}" is not in ${file}`);
    }
});

test('every file that the table and the manual page name is there', () => {
    const manual = fs.readFileSync(path.join(tree, 'conf/rtcc_security.7'), 'utf8');
    const named = [...text.matchAll(/`((?:tests|lib|conf)\/[\w./-]*[\w])`/g)].map(([, one]) => one);
    const inManual = [...manual.matchAll(/\b((?:people|web|fuzz|fault|cgi)\/[\w.]+\w)/g)].map(([, one]) => `tests/${one}`);
    assert.ok(named.length > 150 && inManual.length > 12);
    for (const one of [...named, ...inManual]) assert.ok(fs.existsSync(path.join(tree, one)), one);
});

test('the count below the table is right', () => {
    const [, all, tested, open] = /^(\d+) requirements: (\d+) with a test, (\d+) of all open or open in part/m.exec(text);
    assert.equal(Number(all), rows.length);
    assert.equal(Number(tested), rows.filter(([, , , , , held]) => held.includes('tests/')).length);
    assert.equal(Number(open), rows.filter(([, , , , how, held]) => /\bopen:/.test(`${how} ${held}`)).length);
});
