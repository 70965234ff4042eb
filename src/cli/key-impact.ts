/**
 * `sealdisk keys impact KEYID`: what becomes unreadable if the master key is disabled or deleted,
 * now and when it is next needed.
 */
import { countOf } from './count-of.ts';
import {
  type CallerFlags,
  callerOf,
  type DirectoryFlags,
  everyPage,
  formatOf,
  openExisting,
} from './data-directory.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Graph, type GraphEdge, type GraphNode, writeGraph } from './graph.ts';
import type { OpenPlane } from './load-targets.ts';
import type { Terminal } from './terminal.ts';

export interface KeyImpactFlags extends DirectoryFlags, CallerFlags {
  readonly format?: string;
}

interface Impact {
  readonly KeyId: string;
  readonly KeyState: string;
  readonly DiskCount: number;
  readonly AttachedDiskCount: number;
  readonly SnapshotCount: number;
  readonly Resources: readonly ImpactLine[];
}

interface ImpactLine extends DependentLine {
  readonly Name: string;
  readonly Layers: readonly number[];
  readonly Dependents: readonly DependentLine[];
}

interface DependentLine {
  readonly Id: string;
  readonly Kind: string;
  readonly Status: string;
  readonly Now: string;
  readonly Next: string;
}

const SCHEMA_ID = 'sealdisk-key-impact/1';

/** Runs the command. */
export async function runKeyImpact(
  keyId: string,
  flags: KeyImpactFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
): Promise<ExitCode> {
  const format = formatOf(flags.format);
  await using plane = await openExisting(openPlane, flags);
  const caller = callerOf(plane, flags);
  const pages = await everyPage((token) =>
    caller.call('DescribeKeyImpact', { KeyId: keyId, ...token }),
  );
  const [{ NextToken: _, ...first }] = pages as [(typeof pages)[0], ...typeof pages];
  const impact: Impact = { ...first, Resources: pages.flatMap((page) => page.Resources) };
  if (flags.json === true) {
    terminal.print(`${JSON.stringify({ schema: SCHEMA_ID, ...impact }, null, 2)}\n`);
    return EXIT.ok;
  }
  if (format === 'text') terminal.print(summary(impact));
  terminal.print(writeGraph(impactGraph(impact), format));
  return EXIT.ok;
}

function summary(impact: Impact): string {
  const { KeyId, KeyState, DiskCount, AttachedDiskCount, SnapshotCount } = impact;
  if (DiskCount + SnapshotCount === 0) {
    return `${KeyId} is ${KeyState}: no disk and no snapshot needs it.\n`;
  }
  const isOne = DiskCount + SnapshotCount === 1;
  return (
    `${KeyId} is ${KeyState}: ${countOf(DiskCount, 'disk')} (${AttachedDiskCount} attached) and ` +
    `${countOf(SnapshotCount, 'snapshot')} ${isOne ? 'needs' : 'need'} it.\n` +
    'If it is disabled, until it is enabled again; if it is deleted, for ever:\n'
  );
}

/** The key, what it protects, and what stops with that; an image of two snapshots is one node. */
export function impactGraph(impact: Impact): Graph {
  const key = { id: impact.KeyId, kind: 'key', label: impact.KeyState, isGone: false };
  const nodes = new Map<string, GraphNode>([[impact.KeyId, key]]);
  const edges: GraphEdge[] = [];
  for (const resource of impact.Resources) {
    nodes.set(resource.Id, nodeOf(resource, resource.Name, lowerLayers(resource.Layers)));
    edges.push({ from: impact.KeyId, to: resource.Id, label: 'protects' });
    for (const dependent of resource.Dependents) {
      nodes.set(dependent.Id, nodeOf(dependent, '', ''));
      edges.push({ from: resource.Id, to: dependent.Id, label: 'needed by' });
    }
  }
  return { nodes: [...nodes.values()], edges };
}

function lowerLayers(layers: readonly number[]): string {
  return layers.includes(0) ? '' : 'below its top layer';
}

function nodeOf(line: DependentLine, name: string, where: string): GraphNode {
  const { Id, Kind, Status, Now, Next } = line;
  const title = [name === '' ? '' : `"${name}"`, Status, where].filter((part) => part !== '');
  const fate = Now === Next ? `now and next ${Now}` : `now ${Now}; next ${Next}`;
  const label = `${title.join(' ')}: ${fate}`;
  return { id: Id, kind: Kind, label, isGone: false };
}
