-- What was changed of cards is kept for ever: not even the application changes it.
REVOKE UPDATE, DELETE ON public.accounts_cardevent FROM bank_app;
