import { Controller } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { pushReceipt, type RpcInput, type RpcOutput } from '#libs/contracts';
import { asSystem } from '#libs/database';
import { RpcMethod } from '#libs/streams';
import { explain } from './explain-receipt.js';
import { ReceiptsService } from './receipts.service.js';

/** Where a push stands. */
@Controller()
export class PushReceiptController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly receipts: ReceiptsService,
  ) {}

  @RpcMethod(pushReceipt)
  async find(input: RpcInput<typeof pushReceipt>): Promise<RpcOutput<typeof pushReceipt>> {
    // Of one site, which the gateway has found for who asks; a push that died is known by its id alone.
    const found = await asSystem(() => this.receipts.find(this.dataSource.manager, input.site_id, input.push_id));
    if (found === null) return null;
    return {
      push_id: found.pushId,
      state: found.state,
      reason: found.reason,
      detail: found.detail ?? explain(found.reason, found.changes),
      epoch: found.epoch,
      sequence: found.sequence,
      received_at: found.receivedAt.toISOString(),
      settled_at: found.settledAt.toISOString(),
      changes: found.changes,
    };
  }
}
