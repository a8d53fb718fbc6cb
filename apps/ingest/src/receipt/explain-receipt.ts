/** What a receipt's reason means, for people. For reasons whose receipts carry no words of their own. */
export function explain(reason: string, changes: number): string {
  switch (reason) {
    case 'changed':
      return changes === 0
        ? 'The inventory was applied; no module changed, but core or PHP did.'
        : `The inventory was applied; ${changes} ${changes === 1 ? 'module' : 'modules'} changed.`;
    case 'unchanged':
      return 'The inventory is the one that was known already.';
    case 'already_applied':
      return 'The same inventory with the same epoch and sequence was applied before.';
    case 'older_than_current':
      return 'A newer push of this site was applied before this one.';
    case 'same_sequence_other_content':
      return 'Another inventory with the same epoch and sequence was applied before.';
    case 'unknown_inventory_hash':
      return 'The heartbeat names an inventory that is not the current one; the site must send it in full.';
    default:
      return reason;
  }
}
