using Kvm.Colo.Cli.Commands;

return ColoVm.Run(args);
