package dbtest

import "syscall"

// endsWithParent lets a server end when the process that started it does,
// however that ends.
func endsWithParent(c *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: c, Pdeathsig: syscall.SIGQUIT}
}
