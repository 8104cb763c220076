// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What bindings/gjs/overrides/Tf.js adds to what introspection tells: beside the types that
// ts-for-gir generates from Tf-1.gir, and optional-arguments.py completes.

/// <reference lib="es2018.asynciterable" />
/// <reference lib="esnext.disposable" />

import type Gio from 'gi://Gio?version=2.0';

declare module 'gi://Tf?version=1' {
    namespace Tf {
        // The symbols of disposal are there if the engine has them.
        interface TempFile {
            close(cancellable?: Gio.Cancellable | null): boolean;
            close_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            close_async(callback: Gio.AsyncReadyCallback<this>): void;
            close_async(io_priority: number, callback: Gio.AsyncReadyCallback<this>): void;
            close_async(io_priority: number, cancellable: Gio.Cancellable | null,
                callback: Gio.AsyncReadyCallback<this> | null): void;
            read(count?: number, cancellable?: Gio.Cancellable | null): Uint8Array;
            readText(cancellable?: Gio.Cancellable | null): string;
            write(data: Uint8Array | string, cancellable?: Gio.Cancellable | null): boolean;
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
            [Symbol.iterator](): IterableIterator<string>;
            [Symbol.asyncIterator](): AsyncIterableIterator<string>;
        }
    }
}
