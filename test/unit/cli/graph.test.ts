/** Graphs as text, for Graphviz and for Mermaid: every label escaped. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { type Graph, writeGraph } from '../../../src/cli/graph.ts';
import { impactGraph } from '../../../src/cli/key-impact.ts';
import { lineageGraph } from '../../../src/cli/lineage.ts';

const HOSTILE = 'a "b" \\ </label> #quot; ]; x --> y\n\u001b[2J end`;';

function graph(label: string): Graph {
  return {
    nodes: [
      { id: 'd-1', kind: 'disk', label, isGone: true },
      { id: 's-1', kind: 'snapshot', label: '', isGone: false },
      { id: 'm-1', kind: 'image', label: 'of two', isGone: false },
      { id: 's-2', kind: 'snapshot', label: '', isGone: false },
    ],
    edges: [
      { from: 'd-1', to: 's-1', label: '' },
      { from: 's-1', to: 'm-1', label: '' },
      { from: 'd-1', to: 's-2', label: label },
      { from: 's-2', to: 'm-1', label: '' },
    ],
  };
}

describe('a text tree', () => {
  test('shows each node once, and names its other sources', () => {
    expect(writeGraph(graph('first'), 'text')).toBe(
      'disk d-1  first\n' +
        '├─ snapshot s-1\n' +
        '│  └─ image m-1  of two  (also from s-2)\n' +
        '└─ snapshot s-2\n',
    );
  });

  test('holds nothing that a terminal would obey, and one line for each node', () => {
    const text = writeGraph(graph(HOSTILE), 'text');
    expect(text).not.toContain('\u001b');
    expect(text.split('\n')).toHaveLength(5);
  });

  test('of a chain of 50,000 is written without recursion', () => {
    const ids = Array.from({ length: 50_000 }, (_, index) => `d-${index}`);
    const nodes = ids.map((id) => ({ id, kind: 'disk', label: '', isGone: false }));
    const edges = ids.slice(1).map((to, index) => ({ from: ids[index]!, to, label: '' }));
    const chain = { nodes: nodes.slice(0, 2_000), edges: edges.slice(0, 1_999) };
    expect(writeGraph(chain, 'text').split('\n')).toHaveLength(2_001);
    const star = { nodes, edges: edges.map(({ to }) => ({ from: 'd-0', to, label: '' })) };
    expect(writeGraph(star, 'text').split('\n')).toHaveLength(50_001);
  });
});

describe('Graphviz', () => {
  test('strings end where they should, whatever is in them', () => {
    const text = writeGraph(graph(HOSTILE), 'dot');
    // What is outside of quoted strings, by the language's own rule: \" does not end one.
    const outside = text.replace(/"(?:[^"\\]|\\.)*"/g, 'S');
    expect(outside).toMatch(/^digraph lineage \{\n {2}rankdir=LR;\n/);
    expect(outside).toMatch(/^ {2}S \[label=S, shape=cylinder, style=dashed\];$/m);
    expect(outside).toMatch(/^ {2}S -> S \[label=S, style=dotted\];$/m);
    expect(outside.split('\n')).toHaveLength(3 + 4 + 4 + 2);
    expect(text).not.toContain('\u001b');
  });

  const probe = spawnSync('dot', ['-V']);
  const absent = probe.error === undefined ? '' : '(skipped: Graphviz is not installed)';
  test.skipIf(absent !== '')(`its own program reads what is written ${absent}`, () => {
    const input = writeGraph(graph(HOSTILE), 'dot');
    const { status, stdout, stderr } = spawnSync('dot', ['-Tplain'], { input, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/^node /gm)).toHaveLength(4);
    expect(stdout.match(/^edge /gm)).toHaveLength(4);
  });
});

describe('Mermaid', () => {
  test('labels hold nothing of its syntax, and ids are its own', () => {
    const text = writeGraph(graph(HOSTILE), 'mermaid');
    const lines = text.split('\n');
    expect(lines[0]).toBe('flowchart LR');
    expect(lines[1]).toMatch(
      /^ {2}n0\["disk d-1<br\/>a #34;b#34; #92; #60;\/label#62; #35;quot#59; /,
    );
    for (const label of text.matchAll(/"([^"]*)"/g)) {
      expect(label[1]!.replaceAll('<br/>', '')).toMatch(/^(?:[\p{L}\p{N} .,:/()+-]|#\d+;)*$/u);
    }
    expect(lines).toContain('  n1 --> n2');
    expect(lines).toContain('  class n0 gone');
  });
});

test('an image of two impacted snapshots is one node with two edges', () => {
  const image = { Id: 'm-1', Kind: 'image', Status: 'Available', Now: 'n', Next: 'x' };
  const snapshot = (Id: string, Layers: number[]) => ({
    Id,
    Kind: 'snapshot',
    Name: 'nightly',
    Status: 'accomplished',
    Layers,
    Now: 'gone',
    Next: 'gone',
    Dependents: [image],
  });
  const { nodes, edges } = impactGraph({
    KeyId: 'key-1',
    KeyState: 'Enabled',
    DiskCount: 0,
    AttachedDiskCount: 0,
    SnapshotCount: 2,
    Resources: [snapshot('s-1', [0]), snapshot('s-2', [1])],
  });
  expect(nodes.map((node) => node.id)).toEqual(['key-1', 's-1', 'm-1', 's-2']);
  expect(edges.filter((edge) => edge.to === 'm-1')).toHaveLength(2);
  expect(nodes[3]!.label).toBe('"nightly" accomplished below its top layer: now and next gone');
});

test('a lineage graph says what was deleted, and what lies below a top layer', () => {
  const line = {
    Id: 'd-1',
    Kind: 'disk',
    From: ['s-unseen'],
    Name: 'db',
    RegionId: 'cn-hangzhou',
    DeletionTime: '2026-01-31T12:00:00Z',
    Layers: [
      { KMSKeyId: 'key-2', KeyVersion: 3 },
      { KMSKeyId: '', KeyVersion: 0 },
      { KMSKeyId: 'key-1', KeyVersion: 0 },
    ],
  };
  const { nodes, edges } = lineageGraph([line]);
  expect(edges).toEqual([]);
  expect(nodes[0]).toEqual({
    id: 'd-1',
    kind: 'disk',
    label:
      '"db" cn-hangzhou under key-2 v3 over in plain over data key erased (key-1) ' +
      'deleted 2026-01-31T12:00:00Z',
    isGone: true,
  });
});
