/** The verbs on lineage. */

/** One record of the lineage of a disk, snapshot or key: who came from whom, under which key. */
export interface LineageNode {
  readonly Id: string;
  readonly Kind: 'disk' | 'snapshot' | 'key';
  /** The id this one was made from; empty for what was made empty. */
  readonly From: readonly string[];
  /** The master key protecting it, empty if stored in plain. */
  readonly KMSKeyId: string;
}

export interface LineageVerbs {
  /** Ancestors and descendants of a disk, a snapshot or a master key. */
  DescribeLineage: {
    parameters: { readonly Id: string };
    result: { readonly Nodes: readonly LineageNode[] };
  };
}
