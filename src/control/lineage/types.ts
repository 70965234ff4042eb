/** The verbs on lineage. */

/** A data key that layers of a resource are encrypted under. */
export interface LayerDataKey {
  /** 0 is the top layer; lower ones hold what re-encryption has still to move. */
  readonly Layer: number;
  /** The resource the data key was made for, which names it. Empty: the layer is plain. */
  readonly DataKeyId: string;
  /** The master key that wraps it, and its version. Empty and 0: plain. 0 alone: erased. */
  readonly KMSKeyId: string;
  readonly KeyVersion: number;
}

/** A resource in a lineage. */
export interface LineageNode {
  readonly Id: string;
  readonly Kind: 'disk' | 'snapshot' | 'share' | 'image' | 'instance';
  /** To what was asked for. A member belongs to a key, or to an account in a region. */
  readonly Relation: 'self' | 'ancestor' | 'descendant' | 'member';
  /** Edges between it and what was asked for. */
  readonly Depth: number;
  /** The ids this one was made from; empty for what was made empty. */
  readonly From: readonly string[];
  readonly AccountId: string;
  readonly RegionId: string;
  readonly Name: string;
  /** The master key of the top layer; empty if it is stored in plain, or stores nothing. */
  readonly KMSKeyId: string;
  /** Which keys protect its bytes, layer by layer. */
  readonly Layers: readonly LayerDataKey[];
  readonly CreationTime: string;
  /** Empty: it is there. */
  readonly DeletionTime: string;
  readonly Status: string;
  /** The instance a disk is attached to. */
  readonly InstanceId: string;
}

/** What happens to one resource if a key is disabled or deleted. */
export interface ImpactedResource {
  readonly Id: string;
  readonly Kind: 'disk' | 'snapshot';
  readonly Name: string;
  readonly RegionId: string;
  readonly Status: string;
  readonly InstanceId: string;
  /** Layers under the key; 0 is the top one. */
  readonly Layers: readonly number[];
  /** The moment the key is disabled or deleted. */
  readonly Now: string;
  /** When it is next attached, its instance started, or something made from it. */
  readonly Next: string;
  /** What else stops with it. */
  readonly Dependents: readonly ImpactedDependent[];
}

export interface ImpactedDependent {
  readonly Id: string;
  readonly Kind: 'image' | 'instance' | 'task';
  readonly Status: string;
  readonly Now: string;
  readonly Next: string;
}

interface NextPage {
  /** What the page before answered. */
  readonly NextToken?: string;
  /** @default 100 */
  readonly MaxResults?: number;
}

export interface LineageVerbs {
  /** Why a disk or snapshot is encrypted as it is, and by which row of which document. */
  ExplainEncryption: {
    parameters: { readonly ResourceId: string };
    result: {
      readonly ResourceId: string;
      /** The key it is under now; empty if it is stored in plain. */
      readonly KMSKeyId: string;
      /** none, default, source, specified or service. */
      readonly Outcome: string;
      /** For people: one statement a line. */
      readonly Lines: readonly string[];
    };
  };
  /**
   * Who came from whom, under which key, with what was deleted in between: of a disk, snapshot,
   * image or instance; of a master key, everything it protects; of a data key (DataKeyId),
   * likewise; without either, everything the account has in the region.
   */
  DescribeLineage: {
    parameters: NextPage & { readonly Id?: string; readonly DataKeyId?: string };
    result: {
      readonly Nodes: readonly LineageNode[];
      /** Empty: there are no more. */
      readonly NextToken: string;
    };
  };
  /** What becomes unreadable, now and later, if a master key is disabled or deleted. */
  DescribeKeyImpact: {
    parameters: NextPage & { readonly KeyId: string };
    result: {
      readonly KeyId: string;
      /** Deleted: the key is gone already. */
      readonly KeyState: string;
      /** Of all pages, every account's. */
      readonly DiskCount: number;
      readonly AttachedDiskCount: number;
      readonly SnapshotCount: number;
      /** Of this page, the account's own. */
      readonly Resources: readonly ImpactedResource[];
      readonly NextToken: string;
    };
  };
  /**
   * Crypto-erase: destroys the wrapped data key of a disk or snapshot wherever it is kept. What has
   * a layer under it is unreadable for ever, everything else stays as it is.
   */
  EraseDataKey: {
    parameters: {
      readonly DiskId?: string;
      readonly SnapshotId?: string;
      /** Must be true: there is no way back. */
      readonly Force?: boolean;
    };
    result: {
      readonly DataKeyId: string;
      /** Disks and snapshots that had a layer under it. */
      readonly ErasedResources: number;
    };
  };
}
