/* What the programs are linked with, and how they are built. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildFolder, tree } from '../lib/instance.js';

const ALLOWED = [/^libfcgi\.so/, /^libxml2\.so/, /^libsqlite3\.so/, /^libcurl\.so/, /^libcrypt\.so/, /^libcrypto\.so/, /^libc\.so/];
const isSanitized = buildFolder.includes('asan');
const read = (file, what) => execFileSync('readelf', ['-W', what, file], { encoding: 'utf8' });

const programs = fs.readdirSync(path.join(tree, 'cgi-bin')).filter((name) => name.endsWith('.c')).map((name) => name.slice(0, -2));
const files = [...programs.map((name) => path.join(buildFolder, 'cgi-bin', name)), path.join(buildFolder, 'sbin/rtcc')];

test('there is a program for every source', () => {
    assert.ok(programs.length >= 16);
    for (const file of files) assert.ok(fs.existsSync(file), file);
});

test('the programs link the four packages, libc with libcrypt, and libcrypto alone', { skip: isSanitized }, () => {
    for (const file of files) {
        const needed = [...read(file, '-d').matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
        assert.ok(needed.includes('libc.so.6'), `${file}: ${needed}`);
        for (const name of needed) assert.ok(ALLOWED.some((one) => one.test(name)), `${file} links ${name}`);
    }
});

test('the programs carry the hardening that the Makefile asks for', { skip: isSanitized }, () => {
    for (const file of files) {
        assert.match(read(file, '-h'), /Type:\s+DYN/, `${file} is position independent`);
        assert.match(read(file, '-l'), /GNU_RELRO/, `${file} has RELRO`);
        assert.doesNotMatch(read(file, '-l'), /GNU_STACK.*E /, `${file} has no executable stack`);
        assert.match(read(file, '-d'), /NOW/, `${file} binds at once`);
    }
});

test('every program says with --help what it does and what it takes', () => {
    for (const file of files.slice(0, -1)) {
        const said = execFileSync(file, ['--help'], { encoding: 'utf8' });
        assert.ok(said.includes(path.basename(file)), said);
    }
});
