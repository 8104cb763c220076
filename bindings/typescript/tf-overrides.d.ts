// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What bindings/gjs/overrides/Tf.js adds to what introspection tells: beside the types that
// ts-for-gir generates from Tf-1.gir, and optional-arguments.py completes.

/// <reference lib="es2018.asynciterable" />
/// <reference lib="esnext.disposable" />

import type Gio from 'gi://Gio?version=2.0';

declare module 'gi://Tf?version=1' {
    namespace Tf {
        /** Options of a call that may block. */
        interface CallOptions {
            /** Stops the call. */
            cancellable?: Gio.Cancellable | null;
        }

        /** Options of an asynchronous call. */
        interface AsyncCallOptions extends CallOptions {
            /** The I/O priority of the request. */
            ioPriority?: number;
        }

        /**
         * What was read, one item after the other: with `for`, or asynchronously with `for await`. A loop that is left
         * leaves the position behind the last item that it took; while it runs, the position is ahead.
         */
        interface Items<T> extends IterableIterator<T> {
            /** The items as arrays, of as many as were read at once. In an asynchronous loop, this is much faster. */
            batches(): Iterable<T[]> & AsyncIterable<T[]>;
            return(value?: any): IteratorResult<T>;
            [Symbol.asyncIterator](): AsyncIterableIterator<T>;
        }

        // The symbols of disposal are there if the engine has them.
        interface TempFile {
            close(cancellable?: Gio.Cancellable | null): boolean;
            close(options: CallOptions): boolean;
            close_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            close_async(options: AsyncCallOptions): Promise<boolean>;
            close_async(callback: Gio.AsyncReadyCallback<this>): void;
            close_async(io_priority: number, callback: Gio.AsyncReadyCallback<this>): void;
            close_async(io_priority: number, cancellable: Gio.Cancellable | null,
                callback: Gio.AsyncReadyCallback<this> | null): void;
            /** Reads `count` bytes at the position, or all that are left: none at the end of the file. */
            read(count?: number, cancellable?: Gio.Cancellable | null): Uint8Array;
            read(count: number, options: CallOptions): Uint8Array;
            read(options: CallOptions & {count?: number}): Uint8Array;
            /** Asynchronous version of `read()`. */
            readAsync(count?: number, io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<Uint8Array>;
            readAsync(count: number, options: AsyncCallOptions): Promise<Uint8Array>;
            readAsync(options: AsyncCallOptions & {count?: number}): Promise<Uint8Array>;
            /** Reads all that is left as text. What is not UTF-8 is a TypeError. */
            readText(cancellable?: Gio.Cancellable | null): string;
            readText(options: CallOptions): string;
            /** Asynchronous version of `readText()`. */
            readTextAsync(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<string>;
            readTextAsync(options: AsyncCallOptions): Promise<string>;
            /** Writes all of the bytes, or of the text in UTF-8. */
            write(data: Uint8Array | string, cancellable?: Gio.Cancellable | null): boolean;
            write(data: Uint8Array | string, options: CallOptions): boolean;
            /** Asynchronous version of `write()`. */
            writeAsync(data: Uint8Array | string, io_priority?: number,
                cancellable?: Gio.Cancellable | null): Promise<boolean>;
            writeAsync(data: Uint8Array | string, options: AsyncCallOptions): Promise<boolean>;
            /** Reads lines of UTF-8, each with its newline. A line that is not UTF-8 is a TypeError. */
            lines(options?: AsyncCallOptions): Items<string>;
            /** Reads arrays of `size` bytes, 65536 by default; the last one may be shorter. */
            chunks(size?: number, options?: AsyncCallOptions): Items<Uint8Array>;
            chunks(options: AsyncCallOptions & {size?: number}): Items<Uint8Array>;
            /** Writes lines, which have their newlines already, as those of `lines()` do. */
            writeLines(lines: Iterable<Uint8Array | string>, cancellable?: Gio.Cancellable | null): boolean;
            writeLines(lines: Iterable<Uint8Array | string>, options: CallOptions): boolean;
            /** Asynchronous version of `writeLines()`. */
            writeLinesAsync(lines: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
                io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            writeLinesAsync(lines: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
                options: AsyncCallOptions): Promise<boolean>;
            [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array>;
            [Symbol.dispose](): void;
            [Symbol.asyncDispose](): Promise<void>;
        }

        interface TempDir {
            [Symbol.dispose](): void;
            [Symbol.asyncDispose](): Promise<void>;
        }

        interface TextStream {
            truncate(size?: bigint | number, cancellable?: Gio.Cancellable | null): boolean;
            truncate_async(size?: bigint | number, io_priority?: number,
                cancellable?: Gio.Cancellable | null): Promise<boolean>;
            truncate_async(callback: Gio.AsyncReadyCallback<this>): void;
            truncate(size: bigint | number, options: CallOptions): boolean;
            truncate_async(size: bigint | number, options: AsyncCallOptions): Promise<boolean>;
            /** Writes lines, which have their newlines already. */
            writeLines(lines: Iterable<string>, cancellable?: Gio.Cancellable | null): boolean;
            writeLines(lines: Iterable<string>, options: CallOptions): boolean;
            /** Asynchronous version of `writeLines()`. */
            writeLinesAsync(lines: Iterable<string> | AsyncIterable<string>, io_priority?: number,
                cancellable?: Gio.Cancellable | null): Promise<boolean>;
            writeLinesAsync(lines: Iterable<string> | AsyncIterable<string>,
                options: AsyncCallOptions): Promise<boolean>;
            [Symbol.iterator](): IterableIterator<string>;
            [Symbol.asyncIterator](): AsyncIterableIterator<string>;
        }
    }
}
