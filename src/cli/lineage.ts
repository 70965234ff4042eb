/**
 * `sealdisk lineage ID`: who came from whom, under which key. ID is a disk, snapshot, image,
 * instance or master key; what was deleted in between is shown as such.
 */
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

export interface LineageFlags extends DirectoryFlags, CallerFlags {
  readonly format?: string;
}

/** What the command shows of a node. */
interface LineageLine {
  readonly Id: string;
  readonly Kind: string;
  readonly From: readonly string[];
  readonly Name: string;
  readonly RegionId: string;
  readonly DeletionTime: string;
  readonly Layers: readonly { readonly KMSKeyId: string; readonly KeyVersion: number }[];
}

const SCHEMA_ID = 'sealdisk-lineage/1';

/** Runs the command. */
export async function runLineage(
  id: string,
  flags: LineageFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
): Promise<ExitCode> {
  const format = formatOf(flags.format);
  await using plane = await openExisting(openPlane, flags);
  const caller = callerOf(plane, flags);
  const pages = await everyPage((token) => caller.call('DescribeLineage', { Id: id, ...token }));
  const nodes = pages.flatMap((page) => page.Nodes);
  if (flags.json === true) {
    terminal.print(`${JSON.stringify({ schema: SCHEMA_ID, id, nodes }, null, 2)}\n`);
  } else {
    terminal.print(writeGraph(lineageGraph(nodes), format));
  }
  return EXIT.ok;
}

/** Keys stand beside what they protect. */
export function lineageGraph(lines: readonly LineageLine[]): Graph {
  const shown = new Set(lines.map((line) => line.Id));
  const nodes = lines.map(
    (line): GraphNode => ({
      id: line.Id,
      kind: line.Kind,
      label: labelOf(line),
      isGone: line.DeletionTime !== '',
    }),
  );
  const edges = lines.flatMap(({ Id, From }) =>
    From.filter((from) => shown.has(from)).map((from): GraphEdge => ({ from, to: Id, label: '' })),
  );
  return { nodes, edges };
}

function labelOf({ Name, RegionId, Layers, DeletionTime }: LineageLine): string {
  const layers = Layers.map(({ KMSKeyId, KeyVersion }) => {
    if (KMSKeyId === '') return 'in plain';
    return KeyVersion === 0 ? `data key erased (${KMSKeyId})` : `under ${KMSKeyId} v${KeyVersion}`;
  });
  return [
    Name === '' ? '' : `"${Name}"`,
    RegionId,
    layers.join(' over '),
    DeletionTime === '' ? '' : `deleted ${DeletionTime}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}
