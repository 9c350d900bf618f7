//go:build !linux

package dbtest

import "syscall"

// endsWithParent does not do what it says where the system has no way to: a
// server then outlives a test process that was killed.
func endsWithParent(c *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: c}
}
