/**
 * A small graph, and how it is written: as a text tree, for Graphviz, for Mermaid.
 *
 * Labels come from names that users gave: every writer escapes what its format would read as its
 * own. Sources: Graphviz, "The DOT Language", quoted strings; Mermaid, flowchart syntax, entity
 * codes.
 */

export interface GraphNode {
  readonly id: string;
  readonly kind: string;
  /** What is said of it, the id not repeated. */
  readonly label: string;
  /** Removed, and in the graph for what came from it. */
  readonly isGone: boolean;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Empty: the child came from the parent. */
  readonly label: string;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Their ends are among the nodes. */
  readonly edges: readonly GraphEdge[];
}

export const GRAPH_FORMATS = ['text', 'dot', 'mermaid'] as const;
export type GraphFormat = (typeof GRAPH_FORMATS)[number];

export function writeGraph(graph: Graph, format: GraphFormat): string {
  if (format === 'dot') return writeDot(graph);
  return format === 'mermaid' ? writeMermaid(graph) : writeTree(graph);
}

const DOT_SHAPES: Readonly<Record<string, string>> = {
  disk: 'cylinder',
  snapshot: 'note',
  share: 'note',
  image: 'box3d',
  instance: 'component',
  key: 'octagon',
  task: 'cds',
};

function writeDot({ nodes, edges }: Graph): string {
  const lines = nodes.map(({ id, kind, label, isGone }) => {
    const text = quoteDot(`${kind} ${id}\n${label}`.trim());
    const style = isGone ? ', style=dashed' : '';
    return `  ${quoteDot(id)} [label=${text}, shape=${DOT_SHAPES[kind] ?? 'box'}${style}];`;
  });
  for (const { from, to, label } of edges) {
    const attributes = label === '' ? '' : ` [label=${quoteDot(label)}, style=dotted]`;
    lines.push(`  ${quoteDot(from)} -> ${quoteDot(to)}${attributes};`);
  }
  return `digraph lineage {\n  rankdir=LR;\n  node [fontsize=10];\n${lines.join('\n')}\n}\n`;
}

/** A backslash or a quote would end or change the string; a line break is \n to Graphviz. */
function quoteDot(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replace(/\r\n?|\n/g, '\\n')
    .replace(CONTROL, ' ');
  return `"${escaped}"`;
}

function writeMermaid({ nodes, edges }: Graph): string {
  // Ids of Mermaid's own: some words, and ids with dashes, are syntax to it.
  const names = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const lines = nodes.map(({ id, kind, label }) => {
    const text = [`${kind} ${id}`, label].filter((part) => part !== '').map(escapeMermaid);
    return `  ${names.get(id)}["${text.join('<br/>')}"]`;
  });
  for (const { from, to, label } of edges) {
    const arrow = label === '' ? '-->' : `-. "${escapeMermaid(label)}" .->`;
    lines.push(`  ${names.get(from)} ${arrow} ${names.get(to)}`);
  }
  const gone = nodes.filter((node) => node.isGone).map(({ id }) => names.get(id));
  if (gone.length > 0) {
    lines.push('  classDef gone stroke-dasharray: 4 4', `  class ${gone.join(',')} gone`);
  }
  return `flowchart LR\n${lines.join('\n')}\n`;
}

/** Everything but letters, digits and a few harmless marks, as entity codes. */
function escapeMermaid(text: string): string {
  return [...text.replace(/\s+/g, ' ').replace(CONTROL, ' ')]
    .map((char) => (/[\p{L}\p{N} .,:/()+-]/u.test(char) ? char : `#${char.codePointAt(0)};`))
    .join('');
}

/** Each node once, below the first of those it came from; the others are named beside it. */
function writeTree({ nodes, edges }: Graph): string {
  const parents = new Map<string, GraphEdge[]>(nodes.map(({ id }) => [id, []]));
  for (const edge of edges) parents.get(edge.to)?.push(edge);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const children = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  const roots: string[] = [];
  for (const { id } of nodes) {
    const first = parents.get(id)?.[0];
    if (first === undefined) roots.push(id);
    else children.get(first.from)?.push(id);
  }
  const lines: string[] = [];
  // A stack, not recursion: a chain of clones may be long.
  const pending = roots.reverse().map((id) => ({ id, lead: '', isLast: true, isRoot: true }));
  for (let top = pending.pop(); top !== undefined; top = pending.pop()) {
    const { id, lead, isLast, isRoot } = top;
    const also = (parents.get(id) ?? []).slice(1).map((edge) => edge.from);
    const branch = isRoot ? '' : isLast ? '└─ ' : '├─ ';
    lines.push(`${lead}${branch}${treeLine(byId.get(id)!, also)}`);
    const below = isRoot ? '' : `${lead}${isLast ? '   ' : '│  '}`;
    const ids = children.get(id) ?? [];
    for (const [index, childId] of [...ids.entries()].reverse()) {
      const isLastChild = index === ids.length - 1;
      pending.push({ id: childId, lead: below, isLast: isLastChild, isRoot: false });
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

function treeLine({ id, kind, label }: GraphNode, also: readonly string[]): string {
  const text = [`${kind} ${id}`, label.replace(/\s+/g, ' ').replace(CONTROL, ' ')];
  if (also.length > 0) text.push(`(also from ${also.join(', ')})`);
  return text.filter((part) => part !== '').join('  ');
}

// A name may hold anything: what moves a terminal's cursor is not printed.
const CONTROL = /\p{Cc}/gu;
