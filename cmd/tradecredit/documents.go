package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"tradecredit/internal/app"
	"tradecredit/internal/blob"
	"tradecredit/internal/db"
	"tradecredit/internal/document"
)

// papers say where files are kept. Every command that reads files takes these
// flags.
type papers struct {
	DocumentsDir string `help:"Directory for files of documents; the folder documents of the data directory when empty." env:"TRADECREDIT_DOCUMENTS_DIR" type:"path"`
	S3Endpoint   string `name:"s3-endpoint" env:"TRADECREDIT_S3_ENDPOINT" help:"Address of a store that speaks the S3 API, such as https://s3.example; with it files of documents are kept there."`
	S3Bucket     string `name:"s3-bucket" env:"TRADECREDIT_S3_BUCKET" help:"Bucket for files of documents."`
	S3Region     string `name:"s3-region" default:"us-east-1" env:"TRADECREDIT_S3_REGION" help:"Region of the bucket."`
	S3AccessKey  string `name:"s3-access-key" env:"TRADECREDIT_S3_ACCESS_KEY" help:"Access key of the store."`
	S3SecretKey  string `name:"s3-secret-key" env:"TRADECREDIT_S3_SECRET_KEY" help:"Secret key of the store."`
}

func (p papers) config() app.DocumentConfig {
	c := app.DocumentConfig{Dir: p.DocumentsDir}
	if p.S3Endpoint != "" {
		c.S3 = &blob.S3Config{
			Endpoint: p.S3Endpoint, Bucket: p.S3Bucket, Region: p.S3Region, AccessKey: p.S3AccessKey, SecretKey: p.S3SecretKey,
		}
	}
	return c
}

// documentsCommand groups what an operator does with documents.
type documentsCommand struct {
	List documentsListCommand `cmd:"" help:"List what the buyer has sent for a deferred payment."`
	Get  documentsGetCommand  `cmd:"" help:"Write the file of a document of a buyer or of an order to the standard output."`
}

type documentsListCommand struct {
	storage
	DeferredPayment string `help:"Identifier of the deferred payment." required:""`
	JSON            bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c documentsListCommand) Run(sys *system) error {
	var found []document.BuyerDocument
	err := c.storage.read(sys, func(ctx context.Context, tx *db.Tx) (err error) {
		found, err = document.FindAllBuyer(ctx, tx, c.DeferredPayment)
		return err
	})
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for _, d := range found {
		if !c.JSON {
			fmt.Printf("%s  %s  %-14s  %9d  %s  %q\n", d.ID, d.Created.UTC().Format("2006-01-02 15:04"), d.Kind, d.File.Size, d.File.ContentType, d.File.Name)
			continue
		}
		err := out.Encode(struct {
			ID              string `json:"id"`
			Merchant        string `json:"merchant"`
			DeferredPayment string `json:"deferred_payment"`
			Kind            string `json:"kind"`
			Filename        string `json:"filename"`
			ContentType     string `json:"content_type"`
			Size            int64  `json:"size"`
			SHA256          string `json:"sha256"`
			Created         string `json:"created"`
		}{
			d.ID, d.MerchantID, d.DeferredPaymentID, d.Kind, d.File.Name, d.File.ContentType, d.File.Size, d.File.SHA256,
			d.Created.UTC().Format("2006-01-02T15:04:05.000000Z"),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type documentsGetCommand struct {
	storage
	papers
	ID string `arg:"" help:"Identifier of the document."`
}

// Run implements the command. The file comes from outside: whoever opens it does
// so at their own risk.
func (c documentsGetCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	var f document.File
	err = d.Read(sys.ctx, func(tx *db.Tx) error {
		sent, err := document.FindBuyer(sys.ctx, tx, c.ID)
		if err == nil {
			f = sent.File
		}
		if !errors.Is(err, db.ErrNoRows) {
			return err
		}
		of, err := document.Find(sys.ctx, tx, c.ID)
		f = of.File
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("there is no document %s", c.ID)
	}
	if err != nil {
		return err
	}
	config := c.storage.config()
	config.Documents = c.papers.config()
	service, err := app.OpenDocuments(config, d, sys.clock)
	if err != nil {
		return err
	}
	content, err := service.Open(sys.ctx, f)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(os.Stdout, content)
	return err
}

// read opens the database for one look at it.
func (s storage) read(sys *system, look func(ctx context.Context, tx *db.Tx) error) error {
	d, err := s.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(sys.ctx, func(tx *db.Tx) error { return look(sys.ctx, tx) })
}
