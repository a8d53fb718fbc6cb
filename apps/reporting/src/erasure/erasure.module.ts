import { Module } from '@nestjs/common';
import { EraseDataConsumer } from './erase-data.consumer.js';

@Module({ providers: [EraseDataConsumer] })
export class ErasureModule {}
