package company

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
)

// File is a register's file, opened and unpacked.
type File struct {
	io.Reader
	// Size is the length of the unpacked text in bytes, 0 when it is not known.
	Size int64
	// PackedSize is the length of the file itself, 0 for a pipe.
	PackedSize int64

	closers []io.Closer
}

// Open opens a file that is plain, packed by gzip, or a zip archive with one CSV
// file in it. What it is is told by its content.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	out := &File{Reader: f, closers: []io.Closer{f}}
	if err := out.unpack(f); err != nil {
		out.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// Close closes the file.
func (f *File) Close() {
	for i := len(f.closers) - 1; i >= 0; i-- {
		_ = f.closers[i].Close()
	}
}

func (f *File) unpack(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	f.Size, f.PackedSize = info.Size(), info.Size()
	start := make([]byte, 4)
	n, err := io.ReadFull(file, start)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return err
	}
	if !info.Mode().IsRegular() {
		// A pipe cannot be wound back; it is plain text.
		f.Reader, f.Size = io.MultiReader(bytes.NewReader(start[:n]), file), 0
		f.PackedSize = 0
		return nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return f.unzip(file, info.Size())
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(bufio.NewReaderSize(file, 1<<18))
		if err != nil {
			return err
		}
		f.Reader, f.Size = z, 0
		f.closers = append(f.closers, z)
	}
	return nil
}

func (f *File) unzip(file *os.File, size int64) error {
	z, err := zip.NewReader(file, size)
	if err != nil {
		return err
	}
	var found *zip.File
	for _, entry := range z.File {
		if !strings.HasSuffix(strings.ToLower(entry.Name), ".csv") {
			continue
		}
		if found != nil {
			return fmt.Errorf("the archive holds more than one CSV file: %s, %s", found.Name, entry.Name)
		}
		found = entry
	}
	if found == nil {
		return fmt.Errorf("the archive holds no CSV file")
	}
	r, err := found.Open()
	if err != nil {
		return err
	}
	f.Reader, f.Size = r, int64(found.UncompressedSize64)
	f.closers = append(f.closers, r)
	return nil
}
