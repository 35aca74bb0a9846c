// Command issuer is cert-manager with a CA of one's own: the controllers for that, linked from its
// own packages, since its command is no module that can be fetched. It has no webhook.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
)

// As cert-manager has them where nothing is set.
const (
	minimumBackoff = time.Hour
	maximumBackoff = 32 * time.Hour
	workers        = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run keeps every controller going until ctx ends; Secrets of ClusterIssuers are in namespace.
func run(ctx context.Context, kubeconfig, namespace string) error {
	factory, err := controller.NewContextFactory(ctx, controller.ContextOptions{
		Kubeconfig:    kubeconfig,
		IssuerOptions: controller.IssuerOptions{ClusterResourceNamespace: namespace},
		CertificateOptions: controller.CertificateOptions{
			CertificateRequestMinimumBackoffDuration: minimumBackoff,
			CertificateRequestMaximumBackoffDuration: maximumBackoff,
		},
	})
	if err != nil {
		return err
	}
	made, err := linked(factory)
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	keep(ctx, made)
	return nil
}

// linked makes the controllers of all packages that are linked in.
func linked(factory *controller.ContextFactory) (map[string]controller.Interface, error) {
	made := map[string]controller.Interface{}
	for name, constructor := range controller.Known() {
		each, err := constructor(factory)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		made[name] = each
	}
	return made, nil
}

func keep(ctx context.Context, controllers map[string]controller.Interface) {
	var running sync.WaitGroup
	for name, each := range controllers {
		running.Go(func() {
			if err := each.Run(workers, ctx); err != nil {
				fmt.Fprintln(os.Stderr, name, err)
			}
		})
	}
	running.Wait()
}
