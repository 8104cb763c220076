// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What bindings/gjs/overrides/Tf.js adds to what introspection tells: beside the types that
// ts-for-gir generates from Tf-1.gir.

/// <reference lib="es2018.asynciterable" />
/// <reference lib="esnext.disposable" />

import type Gio from 'gi://Gio?version=2.0';
import type GLib from 'gi://GLib?version=2.0';

declare module 'gi://Tf?version=1' {
    namespace Tf {
        // The symbols of disposal are there if the engine has them.
        interface TempFile {
            close(cancellable?: Gio.Cancellable | null): boolean;
            read(count?: number, cancellable?: Gio.Cancellable | null): Uint8Array;
            read_bytes(count: bigint | number, cancellable?: Gio.Cancellable | null): GLib.Bytes;
            readText(cancellable?: Gio.Cancellable | null): string;
            write(data: Uint8Array | string, cancellable?: Gio.Cancellable | null): boolean;
            seek(offset: bigint | number, type?: GLib.SeekType, cancellable?: Gio.Cancellable | null): boolean;
            truncate(size: bigint | number, cancellable?: Gio.Cancellable | null): boolean;
            [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array>;
            [Symbol.dispose](): void;
            [Symbol.asyncDispose](): Promise<void>;
        }

        // GJS looks the methods of interfaces up in each class, and so do the types.
        interface NamedFile {
            unlink(cancellable?: Gio.Cancellable | null): boolean;
            unlink_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            seek(offset: bigint | number, type?: GLib.SeekType, cancellable?: Gio.Cancellable | null): boolean;
            truncate(size: bigint | number, cancellable?: Gio.Cancellable | null): boolean;
        }

        interface SpooledFile {
            rollover(cancellable?: Gio.Cancellable | null): boolean;
            seek(offset: bigint | number, type?: GLib.SeekType, cancellable?: Gio.Cancellable | null): boolean;
            truncate(size: bigint | number, cancellable?: Gio.Cancellable | null): boolean;
        }

        interface TempDir {
            cleanup(cancellable?: Gio.Cancellable | null): boolean;
            cleanup_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            [Symbol.dispose](): void;
            [Symbol.asyncDispose](): Promise<void>;
        }

        interface TextStream {
            read(n_chars: bigint | number, cancellable?: Gio.Cancellable | null): string;
            read_async(n_chars: bigint | number, io_priority?: number,
                cancellable?: Gio.Cancellable | null): Promise<string>;
            read_line(cancellable?: Gio.Cancellable | null): string | null;
            read_line_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<string | null>;
            read_all(cancellable?: Gio.Cancellable | null): string;
            read_all_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<string>;
            write(text: string, cancellable?: Gio.Cancellable | null): boolean;
            write_async(text: string, io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            seek(offset: bigint | number, type?: GLib.SeekType, cancellable?: Gio.Cancellable | null): boolean;
            seek_async(offset: bigint | number, type?: GLib.SeekType, io_priority?: number,
                cancellable?: Gio.Cancellable | null): Promise<boolean>;
            tell(cancellable?: Gio.Cancellable | null): number;
            tell_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<number>;
            truncate(size?: bigint | number, cancellable?: Gio.Cancellable | null): boolean;
            truncate_async(size?: bigint | number, io_priority?: number,
                cancellable?: Gio.Cancellable | null): Promise<boolean>;
            flush(cancellable?: Gio.Cancellable | null): boolean;
            flush_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<boolean>;
            [Symbol.iterator](): IterableIterator<string>;
            [Symbol.asyncIterator](): AsyncIterableIterator<string>;
        }

        // What is left out at the end is null.
        function get_temp_dir_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<string>;
        function get_spool_dir_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<string>;
        function get_shareable_dir_async(io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<string>;
        function set_temp_dir(dir?: string | null): void;
        function mkstemp(prefix?: string | null, suffix?: string | null, dir?: string | null,
            cancellable?: Gio.Cancellable | null): [number, string];
        function mkstemp_async(prefix?: string | null, suffix?: string | null, dir?: string | null,
            io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<[number, string]>;
        function mkdtemp(prefix?: string | null, suffix?: string | null, dir?: string | null,
            cancellable?: Gio.Cancellable | null): string;
        function mkdtemp_async(prefix?: string | null, suffix?: string | null, dir?: string | null,
            io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<string>;
        function mktemp(prefix?: string | null, suffix?: string | null, dir?: string | null): string;
        function sweep(prefix?: string | null, dir?: string | null, min_age_seconds?: number,
            cancellable?: Gio.Cancellable | null): [boolean, number];
        function sweep_async(prefix?: string | null, dir?: string | null, min_age_seconds?: number,
            io_priority?: number, cancellable?: Gio.Cancellable | null): Promise<[number]>;
        function remove_tree(file: Gio.File, cancellable?: Gio.Cancellable | null): boolean;
        function remove_tree_async(file: Gio.File, io_priority?: number,
            cancellable?: Gio.Cancellable | null): Promise<boolean>;
        function set_audit_func(func: ((event: string, path: string) => boolean) | null): void;
    }
}
